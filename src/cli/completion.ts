/** Completion scripts for shells, made from the command table: words after words, and options. */
import type { Command, OptionSpec } from './command.ts';

/** The shells that a script is made for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** One of {@link SHELLS}. */
export type Shell = (typeof SHELLS)[number];

/** What completion needs of the commands. */
export interface Completed {
  readonly commands: readonly Command[];
  readonly optionsOf: (command: Command) => readonly OptionSpec[];
}

/** The script for a shell. */
export function completionOf(shell: Shell, completed: Completed): string {
  const places = placesOf(completed);
  switch (shell) {
    case 'bash':
      return bash(places);
    case 'zsh':
      return zsh(places);
    case 'fish':
      return fish(places);
    default:
      return shell satisfies never;
  }
}

/** What may follow the words before: more words, or options. */
interface Place {
  readonly words: string;
  readonly next: readonly string[];
}

function placesOf({ commands, optionsOf }: Completed): readonly Place[] {
  const next = new Map<string, Set<string>>();
  const add = (words: string, word: string): void => {
    next.set(words, (next.get(words) ?? new Set()).add(word));
  };
  for (const command of commands) {
    const words = command.name.split(' ');
    for (const [index, word] of words.entries()) add(words.slice(0, index).join(' '), word);
    for (const { flags } of optionsOf(command)) add(command.name, flags.split(' ')[0] ?? flags);
    add(command.name, '--help');
  }
  for (const word of ['help', '--help', '--version']) add('', word);
  return [...next].map(([words, set]) => ({ words, next: [...set] }));
}

/** Names of commands and options are letters and hyphens, so that nothing has to be quoted. */
function caseLines(places: readonly Place[], assign: (next: string) => string): string {
  return places.map(({ words, next }) => `    '${words}') ${assign(next.join(' '))} ;;`).join('\n');
}

function bash(places: readonly Place[]): string {
  return `# exequatur completion for bash: source it, or put it into bash_completion.d
_exequatur_next() {
  case "$1" in
${caseLines(places, (next) => `echo '${next}'`)}
    *) return 1 ;;
  esac
}
_exequatur() {
  local current="\${COMP_WORDS[COMP_CWORD]}" at='' word index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    if _exequatur_next "\${at:+$at }$word" > /dev/null; then at="\${at:+$at }$word"; fi
  done
  COMPREPLY=($(compgen -W "$(_exequatur_next "$at")" -- "$current"))
}
complete -o default -F _exequatur exequatur
`;
}

function zsh(places: readonly Place[]): string {
  return `#compdef exequatur
# exequatur completion for zsh: put it into a directory of fpath as _exequatur, or source it
_exequatur_next() {
  case "$1" in
${caseLines(places, (next) => `reply=(${next})`)}
    *) return 1 ;;
  esac
}
_exequatur() {
  local at='' word
  local -a reply
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if _exequatur_next "\${at:+$at }$word"; then at="\${at:+$at }$word"; fi
  done
  _exequatur_next "$at"
  compadd -- $reply || _files
}
if [ "$funcstack[1]" = _exequatur ]; then _exequatur "$@"; else compdef _exequatur exequatur; fi
`;
}

function fish(places: readonly Place[]): string {
  const lines = places.flatMap(({ words, next }) => {
    const seen = words === '' ? [] : words.split(' ');
    const condition =
      seen.length === 0
        ? '__fish_use_subcommand'
        : seen.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    return next.map((word) =>
      word.startsWith('--')
        ? `complete -c exequatur -n '${condition}' -l ${word.slice(2)}`
        : `complete -c exequatur -f -n '${condition}' -a ${word}`,
    );
  });
  return `# exequatur completion for fish: put it into ~/.config/fish/completions/exequatur.fish\n${lines.join('\n')}\n`;
}
