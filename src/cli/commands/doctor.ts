/** Looks at what a safe operation rests on. */
import type { Command } from '../command.ts';
import { safeText } from '../safe-text.ts';
import type { Examined } from '../server-door.ts';
import type { Style } from '../terminal.ts';

const MARKS: Readonly<Record<Examined['mark'], readonly [sign: string, style: Style]>> = {
  good: ['✓', 'good'],
  bad: ['✗', 'bad'],
  note: ['!', 'waiting'],
};

/** `doctor`. */
export const doctor: Command = {
  name: 'doctor',
  summary: 'look at files, isolation, clock, disk and systems, and say what is not covered',
  description:
    'Changes nothing. `✓` is good, `!` is to know, `✗` is to be put right and makes it end with 1. Systems are asked who they are.',
  options: [
    { flags: '--config <file>', summary: 'configuration file (exequatur.yaml)' },
    { flags: '--data <directory>', summary: 'data directory instead of the configured one' },
  ],
  client: false,
  examples: ['exequatur doctor', 'exequatur doctor --config /etc/exequatur/exequatur.yaml'],
  exits: [0, 1],
  async run(context, given) {
    const door = await context.server();
    const examined = await door.doctor({
      config: given.text('config') ?? 'exequatur.yaml',
      data: given.text('data'),
      from: context.terminal.directory,
    });
    for (const each of examined) {
      context.tell(each);
      const [sign, style] = MARKS[each.mark];
      context.say(`${context.paint(style, sign)} ${safeText(each.message)}`);
      if (each.hint !== undefined) context.say(`  ${context.paint('quiet', safeText(each.hint))}`);
    }
    return examined.some(({ mark }) => mark === 'bad') ? 1 : 0;
  },
};
