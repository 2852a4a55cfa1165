/**
 * Transcripts: what is typed after `$`, what is printed below it. Lines on standard error begin with
 * `! `, and an exit code other than 0 stands last in brackets. What differs between runs has a name:
 * the same `<id:1>` is the same id throughout. Lines that begin with `#` and no small letter are for
 * readers.
 *
 * `REWRITE_TRANSCRIPTS=1` writes down what is printed now, to be reviewed like code.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { run } from '../../src/cli/program.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));
const REWRITE = process.env['REWRITE_TRANSCRIPTS'] === '1';

/** A terminal session in a folder. */
export interface Session {
  /** Types every command of a transcript's file, and compares what is printed. */
  play(file: string): Promise<void>;
  /** Runs one command and answers what it printed. */
  type(line: string, stdin?: Terminal['stdin']): Promise<Typed>;
  /** What a command prints, as a transcript has it. */
  show(line: string): Promise<string>;
}

/** What one command printed. */
export interface Typed {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** Opens a session. */
export function openSession(
  directory: string,
  env: Readonly<Record<string, string | undefined>> = {},
): Session {
  const names = new Map<string, string>();
  const values = new Map<string, string>();

  function nameOf(sort: string, value: string): string {
    const known = names.get(value);
    if (known !== undefined) return known;
    const count = [...names.values()].filter((name) => name.startsWith(`<${sort}:`)).length;
    const name = `<${sort}:${String(count + 1)}>`;
    names.set(value, name);
    values.set(name, value);
    return name;
  }

  function normal(text: string): string {
    return (
      text
        .replaceAll(directory, '<dir>')
        // Explanations name a file by its folder alone.
        .replaceAll(basename(directory), '<dir>')
        .replaceAll(process.execPath, '<node>')
        .replaceAll(CHECKOUT, '<checkout>/')
        .replaceAll(
          /exq_(agent|person|executor|operator)_[\w-]{43}/gu,
          (_, sort: string) => `<${sort} key>`,
        )
        .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/gu, (id) =>
          nameOf('id', id),
        )
        .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}(?:-7[0-9a-f-]*)?\b/gu, '<short>')
        .replaceAll(/\b[0-9a-f]{8}\b/gu, (key) => nameOf('key', key))
        .replaceAll(/\b[0-9a-f]{64}\b/gu, (digest) => nameOf('digest', digest))
        .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+Z)?/gu, '<time>')
        .replaceAll(/localhost:\d+/gu, '<address>')
        .replaceAll(/\(\d+ bytes\)/gu, '(<size> bytes)')
        .replaceAll(/\b\d+ m?s ago/gu, '<age> ago')
        .replaceAll(/\b\d\d:\d\d\b/gu, '<hour>')
    );
  }

  async function type(
    line: string,
    stdin: Terminal['stdin'] = Readable.from(['']),
  ): Promise<Typed> {
    const words = wordsOf(line.replaceAll(/<\w+:\d+>/gu, (name) => values.get(name) ?? name));
    assert.equal(words[0], 'exequatur');
    const [stdout, stderr] = [new Collector(), new Collector()];
    const terminal = { stdin, stdout, stderr, env, directory };
    const entry = {
      terminal,
      version: '0.0.0',
      server: async () => import('../../src/server/main.ts'),
    };
    const code = await run(entry, words.slice(1));
    return { stdout: stdout.text, stderr: stderr.text, code };
  }

  async function show(line: string): Promise<string> {
    const { stdout, stderr, code } = await type(line);
    return [
      `$ ${line}`,
      ...linesOf(normal(stdout)),
      ...linesOf(normal(stderr)).map((text) => `! ${text}`),
      ...(code === 0 ? [] : [`[${String(code)}]`]),
    ]
      .join('\n')
      .trimEnd();
  }

  return {
    type,
    show,
    async play(file) {
      const text = readFileSync(file, 'utf8');
      const played: string[] = [];
      for (const step of text.trim().split(/\n(?=\$ |# [^a-z])/u)) {
        const [first = ''] = step.split('\n');
        const shown = first.startsWith('$ ') ? await show(first.slice(2)) : first;
        played.push(shown);
        if (!REWRITE) assert.equal(shown, step.trimEnd());
      }
      assert.ok(
        played.some((step) => step.startsWith('$ ')),
        'the transcript has no command',
      );
      if (REWRITE) writeFileSync(file, `${played.join('\n')}\n`);
    },
  };
}

class Collector extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}

/** A standard input that is a terminal, with what a person types. */
export function typing(text: string): PassThrough & { readonly isTTY: true } {
  const stream = Object.assign(new PassThrough(), { isTTY: true as const });
  stream.end(text);
  return stream;
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/u, '').split('\n');
}

/** Words as a shell would split them: by blanks, except within single or double quotes. */
function wordsOf(line: string): readonly string[] {
  return [...line.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/gu)].map(([word]) =>
    word.replaceAll(
      /'([^']*)'|"([^"]*)"/gu,
      (_, single?: string, double?: string) => single ?? double ?? '',
    ),
  );
}
