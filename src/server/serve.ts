/** Serving: one daemon from a configuration file, with its log on standard error, ended by a signal. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Ended, ServeOptions } from '../cli/server-door.ts';
import { createMasker } from '../executors/mask.ts';
import { readConfiguration } from './configuration.ts';
import { startDaemon, type Daemon } from './daemon.ts';
import { createLog, type Log } from './log.ts';
import { documentProblem } from './problems.ts';

/** Runs until SIGTERM or SIGINT. */
export async function serve(options: ServeOptions): Promise<Ended> {
  const { terminal } = options;
  const masker = createMasker();
  const log = createLog({
    masker,
    write: (line) => terminal.stderr.write(line),
    people: false,
  });
  const read = await readConfiguration(resolve(terminal.directory, options.config));
  if (read.configuration === undefined) {
    const problems = read.problems.map((each) => documentProblem(each, terminal.directory));
    return { kind: 'problems', problems };
  }
  const asRead = read.configuration;
  const configuration = {
    ...asRead,
    listen: { ...asRead.listen, port: options.port ?? asRead.listen.port },
    data: options.data === undefined ? asRead.data : resolve(terminal.directory, options.data),
  };
  const started = await startDaemon({
    configuration,
    asRead,
    mode: 'enforce',
    version: packageVersion(),
    log,
    masker,
    environment: terminal.env,
    directory: terminal.directory,
  });
  if (started.kind !== 'started') return started;
  const { daemon } = started;
  const startMs = Math.round(process.uptime() * 1000);
  log.info('ready', `requests are answered at ${daemon.url}`, { url: daemon.url, startMs });
  const stopped = untilStopped(daemon, log);
  options.ready({ url: daemon.url, pid: process.pid, data: configuration.data, startMs });
  await stopped;
  return { kind: 'stopped' };
}

/** The version in package.json, which lies two folders above source and compiled code alike. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const read: { readonly version?: unknown } = JSON.parse(text);
  return String(read.version);
}

/** Resolves once a signal has ended the daemon. A second signal ends the process at once; SIGHUP reloads. */
export async function untilStopped(daemon: Daemon, log: Log): Promise<void> {
  await new Promise<void>((resolveStopped, reject) => {
    let stopping = false;
    const stop = (signal: NodeJS.Signals): void => {
      if (stopping) {
        // What is under way is cut off; the next start calls it unknown.
        log.warn('cut_off', `second ${signal}: what is under way is cut off`);
        process.exit(1);
      }
      stopping = true;
      log.info('draining', `${signal}: takes nothing new, and waits for what is under way`);
      daemon.stop().then(() => {
        log.info('stopped', 'everything is settled and closed');
        resolveStopped();
      }, reject);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    process.on('SIGHUP', () => {
      daemon.reload().catch((error: unknown) => {
        log.error('reload_failed', error instanceof Error ? error.message : 'the reload failed');
      });
    });
  });
}
