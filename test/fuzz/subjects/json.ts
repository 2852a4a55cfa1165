/** Strict JSON and canonical JSON: compared with implementations that are not ours, and on vectors. */
import { JSON_ERROR_CODES } from '../../../src/kernel/json/refusal.ts';
import { parseJson } from '../../../src/kernel/json/parse.ts';
import { canonicalBytes, writeCanonical } from '../../../src/kernel/json/write.ts';
import { textOf, textsIn } from '../corpus.ts';
import { compareJson } from '../json-documents.ts';
import { onMutants } from '../mutate.ts';
import type { Subject, Taken } from '../subject.ts';

const DOCUMENTS = [
  ...textsIn('test/vectors/jcs/testdata/input', '.json'),
  ...textsIn('test/vectors/traps', '.json'),
  textOf('schemas/inventory-lock.json'),
];
const WORDS = ['{"a":1}', '[[]]', '"\\u00e9"', '1e308', '-5e-324', '\\ud83d\\ude00', '{"":{}}'];

/** Random documents and their mutants against another implementation, and mutants of vectors. */
export const JSON_SUBJECT: Subject = {
  name: 'json',
  codes: new Set(JSON_ERROR_CODES),
  open: () => {
    const mutants = onMutants({ documents: DOCUMENTS, words: WORDS }, take);
    return Promise.resolve({
      ...mutants,
      run: (random) => {
        if (random.below(2) === 0) return mutants.run(random);
        const compared = compareJson(random);
        if (!compared.ok) throw new Error(compared.difference);
        return 'accepted';
      },
    });
  },
};

function take(input: Buffer): Taken {
  const parsed = parseJson(input);
  if (!parsed.ok) return { refusedWith: [parsed.error.code] };
  const written = canonicalBytes(parsed.value);
  const again = parseJson(written);
  if (!again.ok || writeCanonical(again.value) !== Buffer.from(written).toString()) {
    throw new Error('canonical text is no fixed point');
  }
  return 'accepted';
}
