/** Inputs from a corpus: valid documents, changed in one or a few places, and now and then not at all. */
import { pick, type Random } from './random.ts';
import { Defect, type Running, type Taken } from './subject.ts';

/** The largest input in bytes: above the limits of most parsers, and below what makes a run slow. */
const INPUT_BYTES_MAX = 100_000;

/** Valid documents, and words that mean something in them. */
export interface Corpus {
  readonly documents: readonly string[];
  readonly words: readonly string[];
}

/** Words that mean something to many parsers, or that many of them get wrong. */
const ODD_WORDS: readonly string[] = [
  ['', ' ', '\n', '\r\n', '\t', '\0', '\u001b[2J', '\u00a0', '\ufeff', '\u202e', '\u2028'],
  ['0', '-0', '-1', '1e999', '9007199254740993', '0x10', '1_000', 'NaN', '.5', '00', '1.10'],
  ['true', 'null', '~', '"', "'", '\\', '\\u0000', '\\ud800', '`', '$', '${', '{', '}', '[', ']'],
  ['(', ')', ':', ',', ';', '#', '&', '*', '!', '|', '>', '%', '@', '--', '/*', '*/', '//', '../'],
  ['__proto__', 'constructor', 'toString', 'length', '\u{1f600}', '\u0430', 'e\u0301', '\uffff'],
].flat();

/** Bytes that are no UTF-8, or its longest way to write a small character. */
const BROKEN_BYTES: readonly (readonly number[])[] = [
  [0xff],
  [0x80],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
];

type Take = (input: Buffer) => Taken | Promise<Taken>;

/** Runs `take` on mutants of a corpus. */
export function onMutants(corpus: Corpus, take: Take): Running {
  return {
    run: (random) => taken(mutant(random, corpus), take),
    close: () => Promise.resolve(),
  };
}

/** What `take` makes of an input. A failing input is made small before it is told. */
export async function taken(input: Buffer, take: Take): Promise<Taken> {
  try {
    return await take(input);
  } catch (error) {
    const smaller = await shrink(input, messageOf(error), take);
    throw new Defect(messageOf(error), smaller.toString('utf8'), { cause: error });
  }
}

/** A text of words of the corpus and odd ones. */
export function oddText(random: Random, corpus: Corpus): string {
  const count = 1 + random.below(4);
  return Array.from({ length: count }, () => word(random, corpus)).join('');
}

/** A document of the corpus after some changes. */
export function mutant(random: Random, { documents, words }: Corpus): Buffer {
  let input: Buffer = Buffer.from(pick(random, documents, ''));
  // One document in forty stays as it is: what is valid has to be accepted now and then.
  if (random.below(40) === 0) return input;
  const changes = random.below(8) === 0 ? 2 + random.below(14) : 1 + random.below(3);
  for (let count = 0; count < changes; count += 1) {
    input = changed(random, input, { documents, words }).subarray(0, INPUT_BYTES_MAX);
  }
  return input;
}

function changed(random: Random, input: Buffer, corpus: Corpus): Buffer {
  const at = random.below(input.length + 1);
  const end = Math.min(input.length, at + 1 + random.below(1 << random.below(9)));
  const put = (bytes: Uint8Array, until = at): Buffer =>
    Buffer.concat([input.subarray(0, at), bytes, input.subarray(until)]);
  switch (random.below(12)) {
    case 0:
      return put(Uint8Array.of(random.below(256)), Math.min(input.length, at + 1));
    case 1:
      return put(new Uint8Array(), end);
    case 2:
      return put(Buffer.from(word(random, corpus)));
    case 3:
    case 4:
      return replaceToken(random, input, corpus);
    case 5:
      return put(input.subarray(at, end));
    case 6:
      return put(Uint8Array.from(pick(random, BROKEN_BYTES, [0xff])));
    case 7:
      return blownUp(random, input, at, end);
    case 8: {
      const other = Buffer.from(pick(random, corpus.documents, ''));
      const from = random.below(other.length + 1);
      return put(other.subarray(from, from + random.below(200)), end);
    }
    case 9:
      return random.below(4) === 0 ? input.subarray(0, at) : duplicateLine(random, input);
    case 10:
      return Buffer.from(
        Array.from({ length: 1 + random.below(20) }, () => word(random, corpus)).join(
          pick(random, ['', ' ', '.', ':'], ''),
        ),
      );
    default:
      return put(Buffer.from(word(random, corpus)), end);
  }
}

function word(random: Random, { words }: Corpus): string {
  return random.below(3) === 0 ? pick(random, ODD_WORDS, '') : pick(random, words, '');
}

const TOKEN = /[A-Za-z_][\w-]*|\d+(?:\.\d+)?|[^\s\w]/gu;

/** One word, number or sign of the text becomes another one: the structure around it stays. */
function replaceToken(random: Random, input: Buffer, corpus: Corpus): Buffer {
  const text = input.toString('utf8');
  const tokens = [...text.matchAll(TOKEN)];
  const token = tokens[random.below(Math.max(1, tokens.length))];
  if (token === undefined) return input;
  const other = tokens[random.below(tokens.length)]?.[0] ?? '';
  const by = random.below(2) === 0 ? other : word(random, corpus);
  return Buffer.from(text.slice(0, token.index) + by + text.slice(token.index + token[0].length));
}

/** A part many times over: what nests, nests deep, and what is quadratic takes its time. */
function blownUp(random: Random, input: Buffer, at: number, end: number): Buffer {
  const part =
    end > at && random.below(2) === 0 ? input.subarray(at, end) : input.subarray(at, at + 1);
  if (part.length === 0) return input;
  const times = Math.min(1 << random.below(18), Math.floor(INPUT_BYTES_MAX / part.length));
  const many = Buffer.alloc(part.length * times, part);
  return Buffer.concat([input.subarray(0, at), many, input.subarray(at)]);
}

function duplicateLine(random: Random, input: Buffer): Buffer {
  const lines = input.toString('utf8').split('\n');
  const line = lines[random.below(lines.length)] ?? '';
  lines.splice(random.below(lines.length + 1), 0, line);
  return Buffer.from(lines.join('\n'));
}

/** How often a failing input is made smaller at most. */
const SHRINKS_MAX = 400;

/** A smaller input that fails with the same message. */
async function shrink(input: Buffer, message: string, take: Take): Promise<Buffer> {
  let smallest = input;
  let left = SHRINKS_MAX;
  for (let size = smallest.length >> 1; size >= 1 && left > 0; size >>= 1) {
    for (let at = 0; at < smallest.length && left > 0; left -= 1) {
      const candidate = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + size)]);
      if (await failsWith(message, candidate, take)) smallest = candidate;
      else at += size;
    }
  }
  return smallest;
}

async function failsWith(message: string, input: Buffer, take: Take): Promise<boolean> {
  try {
    await take(input);
    return false;
  } catch (error) {
    return messageOf(error) === message;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
