/** Completion for shells. */
import { usageError } from '../cli-error.ts';
import { word, type Command } from '../command.ts';
import { completionOf, SHELLS } from '../completion.ts';

/** `completion`. */
export const completion: Command = {
  name: 'completion',
  summary: 'print a completion script for bash, zsh or fish',
  arguments: [{ name: 'shell', summary: SHELLS.join(', ') }],
  client: false,
  examples: [
    'exequatur completion bash > ~/.local/share/bash-completion/completions/exequatur',
    'exequatur completion fish > ~/.config/fish/completions/exequatur.fish',
  ],
  exits: [0],
  async run(context, given) {
    const shell = SHELLS.find((each) => each === word(given));
    if (shell === undefined) {
      throw usageError(`no completion for \`${word(given)}\``, `give one of ${SHELLS.join(', ')}`);
    }
    // The table lists this command too, so both are asked for once everything is loaded.
    const [{ COMMANDS }, { optionsOf }] = await Promise.all([
      import('../command-table.ts'),
      import('../program.ts'),
    ]);
    const script = completionOf(shell, { commands: COMMANDS, optionsOf });
    context.tell({ shell, script });
    if (!context.json) context.terminal.stdout.write(script);
    return 0;
  },
};
