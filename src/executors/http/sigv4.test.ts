import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { instantOf } from '../../kernel/instant.ts';
import { signingTime, signRequest, type SigningKey, type SigningRequest } from './sigv4.ts';

const EMPTY = createHash('sha256').update('').digest('hex');

/** The key of AWS's published examples. */
const EXAMPLE: SigningKey = {
  accessKeyId: 'AKIDEXAMPLE',
  secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
  service: 'service',
  time: '20150830T123600Z',
};

function signatureOf(request: SigningRequest, key: SigningKey): string {
  return signRequest(request, key).split('Signature=')[1] ?? '';
}

describe('the signature of AWS', () => {
  test('is the one of the published examples', () => {
    const vanilla = {
      method: 'GET',
      path: '/',
      query: '',
      headers: { host: 'example.amazonaws.com', 'x-amz-date': EXAMPLE.time },
      body: '',
    };
    assert.equal(
      signRequest(vanilla, EXAMPLE),
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ' +
        'SignedHeaders=host;x-amz-date, ' +
        'Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    );
    const listUsers = {
      ...vanilla,
      query: 'Action=ListUsers&Version=2010-05-08',
      headers: {
        host: 'iam.amazonaws.com',
        'x-amz-date': EXAMPLE.time,
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      },
    };
    assert.equal(
      signatureOf(listUsers, { ...EXAMPLE, service: 'iam' }),
      '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    );
    const getObject = {
      ...vanilla,
      path: '/test.txt',
      headers: {
        host: 'examplebucket.s3.amazonaws.com',
        range: 'bytes=0-9',
        'x-amz-content-sha256': EMPTY,
        'x-amz-date': '20130524T000000Z',
      },
    };
    const s3 = {
      ...EXAMPLE,
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      service: 's3',
      time: '20130524T000000Z',
    };
    assert.equal(
      signatureOf(getObject, s3),
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    );
  });

  test('time is written without separators and fractions', () => {
    assert.equal(signingTime(instantOf(Date.UTC(2015, 7, 30, 12, 36, 0, 987))), EXAMPLE.time);
  });

  test('is the one of a naive implementation that starts from the decoded parts', () => {
    const text = fc
      .string({ unit: 'grapheme', maxLength: 12 })
      .filter((each) => each.isWellFormed());
    const segment = text.filter((each) => each !== '' && each !== '.' && each !== '..');
    const fields = fc.uniqueArray(fc.tuple(text, text), {
      maxLength: 6,
      selector: ([name]) => name,
    });
    fc.assert(
      fc.property(
        fc.record({
          segments: fc.array(segment, { maxLength: 4 }),
          fields,
          body: text,
          service: fc.constantFrom('s3', 'execute-api'),
        }),
        ({ segments, fields: pairs, body, service }) => {
          const query = pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&');
          const headers = { host: 'a.example', 'x-amz-date': EXAMPLE.time };
          const path = `/${segments.map(encodeURIComponent).join('/')}`;
          const request = { method: 'POST', path, query, headers, body };
          const key = { ...EXAMPLE, service };
          assert.equal(signatureOf(request, key), naive({ segments, pairs, body, key }));
        },
      ),
    );
  });
});

interface Parts {
  readonly segments: readonly string[];
  readonly pairs: readonly (readonly [string, string])[];
  readonly body: string;
  readonly key: SigningKey;
}

/** Byte by byte, with nothing of the code it checks. */
function naive({ segments, pairs, body, key }: Parts): string {
  const once = segments.map(escapeBytes);
  // Every service but S3 escapes what the client sent; the client left `!'()*` as they are.
  const sent = segments.map((each) => encodeURIComponent(each));
  const path = (key.service === 's3' ? once : sent.map(escapeBytes)).join('/');
  const query = pairs
    .map(([name, value]) => [escapeBytes(name), escapeBytes(value)] as const)
    .toSorted((left, right) => Buffer.compare(Buffer.from(left[0]), Buffer.from(right[0])))
    .map((pair) => pair.join('='))
    .join('&');
  const canonical =
    `POST\n/${path}\n${query}\nhost:a.example\nx-amz-date:${key.time}\n\n` +
    `host;x-amz-date\n${hash(body)}`;
  const scope = `20150830/us-east-1/${key.service}/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${key.time}\n${scope}\n${hash(canonical)}`;
  const dated = mac(mac(`AWS4${key.secret}`, '20150830'), 'us-east-1');
  return mac(mac(mac(dated, key.service), 'aws4_request'), toSign).toString('hex');
}

function hash(value: string): string {
  return createHash('sha256').update(value).digest('hex');
}

function mac(by: string | Buffer, value: string): Buffer {
  return createHmac('sha256', by).update(value).digest();
}

function escapeBytes(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      if (/[A-Za-z0-9._~-]/u.test(character)) return character;
      return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}
