/** Which action a person means: an id may be cut short as long as it means one of the newest. */
import type { ActionView } from '../protocol/actions.ts';
import { LIST_COUNT_MAX } from '../protocol/headers.ts';
import type { Api } from './api.ts';
import { CliError, usageError } from './cli-error.ts';

/** How many pages of the newest actions are searched for a short id. */
const PAGES_MAX = 5;
const WHOLE_LENGTH = 36;
/** The shortest id that a list shows: the millisecond of the proposal. */
const SHORT_LENGTH = 13;

/** The whole id that `given` begins. */
export async function findAction(api: Api, given: string): Promise<string> {
  const wanted = given.toLowerCase();
  if (!/^[0-9a-f-]{4,36}$/u.test(wanted)) {
    throw usageError(`\`${given}\` is no id of an action`, 'ids are listed by `exequatur actions`');
  }
  if (wanted.length === WHOLE_LENGTH) return wanted;
  return oneOf(given, await newest(api, wanted));
}

async function newest(api: Api, wanted: string): Promise<readonly ActionView[]> {
  const matching: ActionView[] = [];
  let before: string | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const query = { count: String(LIST_COUNT_MAX), ...(before === undefined ? {} : { before }) };
    const list = await api.call('actions', { query });
    matching.push(...list.actions.filter(({ id }) => id.startsWith(wanted)));
    before = list.before;
    if (before === undefined) break;
  }
  return matching;
}

function oneOf(given: string, matching: readonly ActionView[]): string {
  const [only, another] = matching;
  if (only === undefined) {
    throw new CliError({
      exit: 1,
      code: 'action_unknown',
      message: `no action among the newest begins with \`${given}\``,
      hint: 'list them with `exequatur actions`, or give the whole id',
    });
  }
  if (another === undefined) return only.id;
  const some = matching.slice(0, 3).map(({ id }) => `\`${id}\``);
  throw new CliError({
    exit: 1,
    code: 'action_ambiguous',
    message: `\`${given}\` begins the ids of ${String(matching.length)} actions`,
    hint: `give more of it: ${some.join(', ')}${matching.length > some.length ? ', …' : ''}`,
  });
}

/** Each id cut to the length that tells all of them apart. */
export function shortIds(ids: readonly string[]): ReadonlyMap<string, string> {
  for (let length = SHORT_LENGTH; length < WHOLE_LENGTH; length++) {
    if (new Set(ids.map((id) => id.slice(0, length))).size === new Set(ids).size) {
      return new Map(ids.map((id) => [id, id.slice(0, length)]));
    }
  }
  return new Map(ids.map((id) => [id, id]));
}
