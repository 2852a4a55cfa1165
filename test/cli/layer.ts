/** A real layer in a process of its own for the tests of the command: a temporary folder and a free port. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSession } from './transcript.ts';

/** The command's entry. */
export const BIN: string = fileURLToPath(new URL('../../bin/exequatur.js', import.meta.url));
const DEPLOY = fileURLToPath(new URL('../../examples/demo/deploy.ts', import.meta.url));

/** A process that is or was a layer. */
export interface Layer {
  readonly directory: string;
  readonly child: ChildProcess;
  readonly url: string;
  readonly startMs: number;
  /** Everything it wrote so far. */
  readonly written: () => { readonly stdout: string; readonly stderr: string };
  /** Sends a signal and answers the exit code; kills it where it does not end in time. */
  readonly end: (signal?: NodeJS.Signals) => Promise<number | null>;
}

/** A policy under which the agent deploys to staging at once and to production with mei's or tomas's yes. */
export const POLICY = `version: 1
roles: [release, lead]
rules:
  - id: release-deploys
    match: { kind: code.execute, principal: { role: release } }
    allow: true
  - id: production-needs-consent
    match: { target: { environment: production } }
    require:
      - approval: { from: role:lead, count: 1, validFor: 1h }
  - id: never-v0
    match: { kind: code.execute }
    when: args.version == "v0"
    deny: The first version is gone for good.
`;

/** Writes configuration, inventory, policy and the folders of a staging and a production site. */
export async function makeDirectory(): Promise<string> {
  // Links are followed by what reads files, so the path is the real one from the start.
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'exequatur-cli-')));
  await mkdir(join(directory, 'releases'));
  for (const version of ['v0', 'v1', 'v2']) {
    await writeFile(join(directory, 'releases', `${version}.txt`), `${version}\n`);
  }
  for (const environment of ['staging', 'production']) {
    await mkdir(join(directory, environment));
    const system = JSON.stringify({ system: `site-${environment}`, environment });
    await writeFile(join(directory, environment, 'system.json'), system);
  }
  await writeFile(join(directory, 'policy.yaml'), POLICY);
  await writeFile(
    join(directory, 'inventory.yaml'),
    `version: 1\ntargets:\n${targetOf(directory, 'staging')}${targetOf(directory, 'production')}`,
  );
  await writeFile(
    join(directory, 'exequatur.yaml'),
    'version: 1\nlisten: { port: 0 }\nisolation: separate-user\n',
  );
  return directory;
}

function targetOf(directory: string, environment: string): string {
  const words = ['--releases', join(directory, 'releases'), '--version', '$version'];
  const run = [process.execPath, DEPLOY, ...words, '--execution', '$executionId'];
  return `  ${environment}:
    environment: ${environment}
    process: { cwd: ./${environment}, user: same-as-layer }
    probe:
      file: ./system.json
      field: /system
      environment: { field: /environment, values: { staging: staging, production: production } }
    operations:
      deploy:
        kind: code.execute
        args: { version: string }
        run: ${JSON.stringify(run)}
        files: [${JSON.stringify(DEPLOY)}]
`;
}

/** Starts \`serve\` and waits until it answers. */
export async function serve(directory: string, ...words: readonly string[]): Promise<Layer> {
  return start(directory, ['serve', '--json', ...words]);
}

/** Starts the command and waits for its ready line. */
export async function start(directory: string, words: readonly string[]): Promise<Layer> {
  const child = spawn(process.execPath, [BIN, ...words], {
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory, TMPDIR: tmpdir() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  const ready = await Promise.race([
    exited.then((code) => assert.fail(`it ended with ${String(code)}:\n${written.stderr}`)),
    firstLine(child, () => written.stdout),
  ]);
  const { url, startMs }: { readonly url: string; readonly startMs: number } = JSON.parse(ready);
  return {
    directory,
    child,
    url,
    startMs,
    written: () => written,
    end: async (signal = 'SIGTERM') => {
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
      const code = await exited;
      clearTimeout(timer);
      return code;
    },
  };
}

async function firstLine(child: ChildProcess, stdout: () => string): Promise<string> {
  return new Promise((resolve) => {
    child.stdout?.on('data', () => {
      const end = stdout().indexOf('\n');
      if (end >= 0) resolve(stdout().slice(0, end));
    });
  });
}

/** Runs the command to its end as a process of its own. */
export async function runBin(
  directory: string,
  words: readonly string[],
  program: readonly string[] = [process.execPath],
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const [executable = '', ...before] = program;
  const child = spawn(executable, [...before, BIN, ...words], {
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // A command that was expected to end and serves instead must not hold up the tests.
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  clearTimeout(timer);
  return { code, stdout, stderr };
}

/** Removes a test's folder. */
export async function removeDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

/** Mei who leads, Dana who owns the agent, and the agent, with their keys where `--as` finds them. */
export async function enrolPeople(directory: string): Promise<void> {
  await enrol(directory, ['person', 'add', 'mei', '--role', 'lead']);
  await enrol(directory, ['person', 'add', 'dana']);
  await enrol(directory, ['agent', 'add', 'bot', '--owner', 'dana', '--role', 'release']);
}

async function enrol(directory: string, words: readonly string[]): Promise<void> {
  const line = ['exequatur', ...words, '--json'].join(' ');
  const { code, stdout, stderr } = await openSession(directory).type(line);
  assert.equal(code, 0, stderr);
  const { key }: { readonly key: string } = JSON.parse(stdout);
  const keys = join(directory, 'data', 'keys');
  await mkdir(keys, { recursive: true, mode: 0o700 });
  await writeFile(join(keys, `${words[2] ?? ''}.key`), key, { mode: 0o600 });
}
