/**
 * The demonstration's deploy script: copies one release into the folder it is started in, and keeps a
 * line for each deployment, so that anybody can look up afterwards what was done.
 *
 * `node deploy.ts --releases DIR --version NAME --execution ID` deploys into the working directory;
 * `node deploy.ts --look ID` exits 0 where that execution deployed something, and 3 where it did not;
 * `node deploy.ts --preview --releases DIR --version NAME` prints what would change, as JSON.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, copyFileSync, existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

const LOG = 'deployments.jsonl';
const LIVE = 'live.txt';

const { values: options } = parseArgs({
  options: {
    releases: { type: 'string' },
    version: { type: 'string' },
    execution: { type: 'string' },
    look: { type: 'string' },
    preview: { type: 'boolean', default: false },
  },
});

if (options.look !== undefined) process.exit(deployed(options.look) ? 0 : 3);

const release = releaseFile();
if (options.preview) {
  const from = existsSync(LIVE) ? digestOf(LIVE) : 'nothing';
  console.log(JSON.stringify({ version: options.version, from, to: digestOf(release) }));
} else {
  copyFileSync(release, LIVE);
  const line = { version: options.version, execution: options.execution, digest: digestOf(LIVE) };
  appendFileSync(LOG, `${JSON.stringify(line)}\n`, { flush: true });
  console.log(JSON.stringify({ deployed: options.version, digest: line.digest }));
}

function releaseFile(): string {
  const { releases, version } = options;
  // A release is a file name and nothing else: it never leads out of the folder.
  if (releases === undefined || version === undefined || basename(version) !== version) {
    console.error('deploy: needs `--releases DIR` and `--version NAME`');
    process.exit(2);
  }
  const file = join(releases, `${version}.txt`);
  if (!existsSync(file)) {
    console.error(`deploy: there is no release \`${version}\``);
    process.exit(4);
  }
  return file;
}

function deployed(execution: string): boolean {
  if (!existsSync(LOG)) return false;
  return readFileSync(LOG, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .some((line) => {
      const kept: { readonly execution?: unknown } = JSON.parse(line);
      return kept.execution === execution;
    });
}

function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
