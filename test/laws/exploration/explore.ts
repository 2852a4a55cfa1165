/**
 * Breadth-first search: every reachable world once, and the shortest way to a broken law. States are kept
 * whole, as 32-bit words, and not as fingerprints: no two of them are ever taken for one.
 */
import { brokenIn } from './laws.ts';
import { moves } from './moves.ts';
import { reduce } from './reduce.ts';
import type { Rules } from './setting.ts';
import { StateTable } from './state-table.ts';
import type { Move } from './step.ts';
import { decode, encode, startWorld, type World } from './world.ts';

/** What a search found. */
export interface Exploration {
  readonly states: number;
  /** Moves taken, those that lead to a known state included. */
  readonly transitions: number;
  /** The length of the longest shortest way. */
  readonly depth: number;
  readonly ms: number;
  /** The shortest story that breaks a law; absent where none does. */
  readonly counterExample?: { readonly law: string; readonly story: readonly string[] };
}

/** How far a search is. */
export interface Progress {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** States that were found and not yet gone on from. */
  readonly waiting: number;
}

/** What bounds a search, and who watches it. */
export interface Watching {
  readonly statesMax: number;
  readonly progress?: (progress: Progress) => void;
}

const PROGRESS_EVERY = 8192;

/** Searches until a law is broken, or everything was seen. Throws past `statesMax`: then nothing was shown. */
export function explore(rules: Rules, { statesMax, progress }: Watching): Exploration {
  const startedMs = performance.now();
  const table = new StateTable(1 + rules.actions + rules.engines);
  table.add(wordsOf(rules, startWorld(rules.engines, rules.actions)), 0);
  let transitions = 0;
  let depth = 0;
  let levelEnd = 1;
  for (let at = 0; at < table.size; at++) {
    if (at === levelEnd) {
      depth++;
      levelEnd = table.size;
    }
    if (at % PROGRESS_EVERY === 0) {
      progress?.({ states: table.size, transitions, depth, waiting: table.size - at });
    }
    for (const move of moves(rules, decode(table.words(at), rules.actions))) {
      transitions++;
      const known = table.size;
      const index = table.add(wordsOf(rules, move.world), at);
      const law = move.broken ?? (index === known ? brokenIn(rules, move.world) : undefined);
      if (law === undefined) continue;
      const story = [...storyOf(rules, table, at), move];
      return {
        states: table.size,
        transitions,
        depth: depth + 1,
        ms: performance.now() - startedMs,
        counterExample: { law, story: retold(rules, story) },
      };
    }
    if (table.size > statesMax) throw new Error(`more than ${String(statesMax)} states`);
  }
  return { states: table.size, transitions, depth, ms: performance.now() - startedMs };
}

/** Every state that the search of these rules reaches, as text. */
export function reachable(rules: Rules, statesMax: number): ReadonlySet<string> {
  const seen = new Map<string, World>();
  const start = startWorld(rules.engines, rules.actions);
  seen.set(wordsOf(rules, start).join(), start);
  for (const world of seen.values()) {
    for (const move of moves(rules, world)) {
      const key = wordsOf(rules, move.world).join();
      if (!seen.has(key)) seen.set(key, decode(wordsOf(rules, move.world), rules.actions));
    }
    if (seen.size > statesMax) throw new Error(`more than ${String(statesMax)} states`);
  }
  return new Set(seen.keys());
}

/** The words of a world as these rules keep it: reduced if they say so, with its engines in order. */
export function wordsOf(rules: Rules, world: World): readonly number[] {
  const words = encode(keptOf(rules, world));
  const first = 1 + rules.actions;
  for (let at = first + 1; at < words.length; at++) {
    const word = words[at] ?? 0;
    let place = at;
    for (; place > first && (words[place - 1] ?? 0) > word; place--)
      words[place] = words[place - 1] ?? 0;
    words[place] = word;
  }
  return words;
}

function keptOf(rules: Rules, world: World): World {
  return rules.reduced ? reduce(rules, world) : world;
}

/** The moves from the start to this state. */
function storyOf(rules: Rules, table: StateTable, last: number): Move[] {
  const way: number[] = [];
  for (let at = last; at !== 0; at = table.parent(at)) way.unshift(at);
  let world = startWorld(rules.engines, rules.actions);
  const story: Move[] = [];
  for (const at of way) {
    const words = table.words(at).join();
    // Told in one world, not in its like: engines keep their numbers through a story.
    const move = moves(rules, world).find((each) => wordsOf(rules, each.world).join() === words);
    if (move === undefined) throw new Error('a step of the story cannot be told');
    world = keptOf(rules, move.world);
    story.push({ ...move, world });
  }
  return story;
}

/** The story in sentences, its last one taken from the world that the story is told in. */
function retold(rules: Rules, story: readonly Move[]): string[] {
  const before = story.at(-2)?.world ?? startWorld(rules.engines, rules.actions);
  const last = story.at(-1);
  if (last === undefined) return [];
  const words = wordsOf(rules, last.world).join();
  const own = moves(rules, before).find(
    (move) => wordsOf(rules, move.world).join() === words && move.broken === last.broken,
  );
  return [...story.slice(0, -1), own ?? last].map(({ label }) => label);
}
