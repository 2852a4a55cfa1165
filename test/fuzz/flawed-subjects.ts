/** Parsers with deliberate flaws: the checker is tested to find each of them. */
import { onMutants } from './mutate.ts';
import type { Subject, Taken } from './subject.ts';

function flawed(name: string, take: (text: string) => Taken): Subject {
  const corpus = { documents: ['{"a": [1, 2, {"b": "c"}]}'], words: ['"', '[', '9'] };
  return {
    name,
    codes: new Set(['known']),
    open: () => Promise.resolve(onMutants(corpus, (input) => take(input.toString('utf8')))),
  };
}

const kept: number[][] = [];

/** One without a flaw, and one for each. */
export const SUBJECTS: readonly Subject[] = [
  flawed('sound', (text) => (text.includes('[') ? 'accepted' : { refusedWith: ['known'] })),
  flawed('throws', (text) => {
    if (text.includes('[[')) throw new RangeError('no such index');
    return 'accepted';
  }),
  flawed('slow', (text) => {
    const before = process.threadCpuUsage().user;
    while (text.length > 500 && process.threadCpuUsage().user - before < 150_000);
    return 'accepted';
  }),
  flawed('unknown-code', () => ({ refusedWith: ['novel'] })),
  flawed('without-code', () => ({ refusedWith: [] })),
  flawed('hangs', (text) => {
    for (;;) if (!text.includes('"b"')) return 'accepted';
  }),
  flawed('grows', (text) => {
    kept.push(Array.from({ length: 2_000_000 }, () => text.length));
    return 'accepted';
  }),
];
