/** What the daemon says of itself, and reading its files again. */
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { errorOf } from '../problem.ts';
import { instantText, problemLines } from '../render.ts';
import { safeText } from '../safe-text.ts';
import { table } from '../terminal.ts';
import type { CountView, StatusView } from '../../protocol/status.ts';

/** `status`. */
export const status: Command = {
  name: 'status',
  summary: 'what is open, which epoch is active, and what is wrong',
  client: true,
  examples: ['exequatur status', 'exequatur status --json'],
  exits: [0, 1, 6, 7],
  async run(context) {
    const api = await context.api(['operator', 'person']);
    const view = await api.call('status');
    context.tell({ url: api.url, ...view });
    const { paint } = context;
    const style = { ready: 'good', degraded: 'waiting', unavailable: 'bad' } as const;
    context.say(`${paint(style[view.status], view.status.toUpperCase())} · ${api.url}`);
    for (const reason of view.reasons) {
      context.say(` ✗ ${safeText(reason.code)}  ${safeText(reason.message)}`);
    }
    for (const line of table(rowsOf(view))) context.say(line);
    return view.status === 'unavailable' ? 1 : 0;
  },
};

function rowsOf(view: StatusView): readonly (readonly string[])[] {
  const { held, executing, unknown } = view.open;
  const advice =
    view.isolation === 'none' ? ' (the layer is advice to whoever runs as its user)' : '';
  return [
    ['version', safeText(view.version)],
    ['mode', safeText(view.mode)],
    ['isolation', safeText(view.isolation) + advice],
    ...view.sameUserTargets.map((name) => ['programs as layer', safeText(name)]),
    ['tenant', safeText(view.tenant)],
    ['epoch', `${String(view.epoch.number)} since ${instantText(view.epoch.at)}`],
    ['held', countText(held)],
    ['executing', countText(executing)],
    ['unknown', countText(unknown)],
    ['halts', String(view.haltsCount)],
    ...Object.entries(view.counts).map(([name, count]) => [safeText(name), String(count)]),
  ];
}

function countText({ count, more }: CountView): string {
  return more ? `more than ${String(count)}` : String(count);
}

/** `reload`. */
export const reload: Command = {
  name: 'reload',
  summary: 'read configuration, policy and inventory again',
  description: 'Where they are not valid the last good epoch stays active, and status says so.',
  client: true,
  examples: ['exequatur reload'],
  exits: [0, 1, 6, 7],
  async run(context) {
    const api = await context.api(['operator']);
    const asked = await api.ask('reload');
    if (asked.kind === 'problem') {
      if (!context.json) {
        for (const problem of asked.problem.problems ?? []) {
          for (const line of problemLines(problem, context.paint)) {
            context.terminal.stderr.write(`${line}\n`);
          }
        }
      } else if (asked.problem.problems !== undefined) context.tell(asked.document);
      if (asked.problem.code !== 'configuration_invalid') throw errorOf(asked.problem, api.url);
      throw new CliError({
        exit: 1,
        code: asked.problem.code,
        message: 'the configuration on disk is not valid; the last good epoch stays active',
        hint: 'correct what is listed above, and reload again',
      });
    }
    const { changed, epoch } = asked.answer;
    context.tell(asked.answer);
    context.say(
      changed
        ? `epoch ${String(epoch.number)} is active since ${instantText(epoch.at)}`
        : `nothing changed; epoch ${String(epoch.number)} stays active`,
    );
    return 0;
  },
};
