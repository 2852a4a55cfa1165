/** Breadth-first search of a world: every reachable state once, and the shortest way to a broken law. */
import { moves, START, violations, type Flaw, type Judge, type World } from './world.ts';

/** What a search found. */
export interface Exploration {
  readonly states: number;
  readonly depth: number;
  /** The shortest story that breaks a law; absent where none does. */
  readonly counterExample?: { readonly law: string; readonly story: readonly string[] };
}

/** Searches until a law is broken, or everything was seen. Throws past `statesMax`: then nothing was shown. */
export function explore(judge: Judge, flaw: Flaw, statesMax: number): Exploration {
  const seen = new Map<string, { readonly parent: string; readonly label: string }>();
  const startKey = keyOf(START);
  seen.set(startKey, { parent: '', label: '' });
  let frontier: World[] = [START];
  let depth = 0;
  while (frontier.length > 0) {
    const next: World[] = [];
    for (const world of frontier) {
      const parent = keyOf(world);
      for (const move of moves(world, judge, flaw)) {
        const key = keyOf(move.world);
        if (seen.has(key)) continue;
        seen.set(key, { parent, label: move.label });
        const [law] = violations(move.world);
        if (law !== undefined) {
          return { states: seen.size, depth, counterExample: { law, story: storyOf(seen, key) } };
        }
        next.push(move.world);
      }
    }
    if (seen.size > statesMax) throw new Error(`more than ${String(statesMax)} states`);
    frontier = next;
    depth++;
  }
  return { states: seen.size, depth };
}

/** Engines are alike, and so are actions: worlds that differ only in their order are one. */
function keyOf(world: World): string {
  const { engines, actions, ...rest } = world;
  const orders = [actions, actions.toReversed()].map((ordered, swapped) => {
    const works = engines.map((work) =>
      work === null || swapped === 0 ? work : { ...work, action: 1 - work.action },
    );
    const texts = works.map((work) => (work === null ? '' : Object.values(work).map(flat).join()));
    return `${texts.sort().join('|')}/${ordered.map((each) => Object.values(each).join()).join('|')}`;
  });
  return `${orders.sort()[0] ?? ''}/${Object.values(rest).join()}`;
}

function flat(value: unknown): string {
  return typeof value === 'object' && value !== null ? Object.values(value).join() : String(value);
}

function storyOf(
  seen: ReadonlyMap<string, { readonly parent: string; readonly label: string }>,
  last: string,
): string[] {
  const story: string[] = [];
  for (let at = seen.get(last); at !== undefined && at.label !== ''; at = seen.get(at.parent)) {
    story.unshift(at.label);
  }
  return story;
}
