/** The nearest known name to one that is not known, for hints of every loader. */

/** Longest name that is compared; longer ones have no near one. */
const NAME_LENGTH_MAX = 64;

/** `did you mean ...?` for the nearest known name, else what names there are, or `undefined` where there is none. */
export function didYouMean(name: string, known: Iterable<string>): string | undefined {
  const names = [...known];
  const near = nearest(name, names);
  if (near !== undefined) return `did you mean \`${near}\`?`;
  if (names.length === 0 || names.length > 12) return undefined;
  return `known: ${names.map((other) => `\`${other}\``).join(', ')}`;
}

/** The known name that is at most a third of its letters (and at most 3) away, or `undefined`. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  if (name.length > NAME_LENGTH_MAX) return undefined;
  let best: string | undefined;
  // A name of one letter is near to nothing: every other would be one step away.
  let bestDistance =
    name.length < 2 ? 1 : Math.min(3, Math.max(1, Math.floor(name.length / 3))) + 1;
  for (const other of known) {
    // mutant: what is so much longer is as far.
    if (Math.abs(other.length - name.length) >= bestDistance || other.length > NAME_LENGTH_MAX)
      continue;
    const distance = editDistance(name.toLowerCase(), other.toLowerCase());
    if (distance < bestDistance) {
      best = other;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one text to the other. */
function editDistance(from: string, to: string): number {
  let beforeLast: readonly number[] = [];
  // mutant (constant): a longer row is not read to its end.
  let last: readonly number[] = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      // Before the first letter is none, which no letter equals.
      const isSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const cost = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (isSame ? 0 : 1),
        isSwapped ? at(beforeLast, column - 2) + 1 : Infinity,
      );
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  // mutant: every row is as long as the other text.
  return row[column] ?? 0;
}
