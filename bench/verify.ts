/**
 * What verification costs:
 *
 *     node bench/verify.ts [--entries 1000000] [--json]
 *
 * A receipt of one settled action with an approval and a witness, in process and by the command, and an
 * export of so many entries, of which the file takes about 550 bytes each.
 */
import { spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeCheckpoint } from '../src/ledger/checkpoint.ts';
import { composeExport } from '../src/ledger/export.ts';
import { Frontier, leafHash } from '../src/ledger/merkle.ts';
import { writeNote } from '../src/ledger/note.ts';
import { readTrustPolicy, verifyExport, verifyReceipt } from '../src/ledger/verify.ts';
import { sampleLife } from '../test/ledger/sample-life.ts';
import { noteSignature, policyFile, SampleLog, signingKey } from '../test/ledger/sample-log.ts';
import { percentile } from './measure.ts';

const BIN = fileURLToPath(new URL('../bin/exequatur.js', import.meta.url));
const RUNS = 1000;
const COMMAND_RUNS = 7;
const MIB = 1024 * 1024;
const LIFE = sampleLife().map(({ bytes }) => bytes);

const { values: options } = parseArgs({
  options: {
    entries: { type: 'string', default: '1000000' },
    json: { type: 'boolean', default: false },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'exequatur-bench-'));
try {
  await measureReceipt();
  await measureExport(Number(options.entries));
} finally {
  rmSync(folder, { recursive: true });
}

async function measureReceipt(): Promise<void> {
  const log = new SampleLog();
  log.witnesses = [signingKey('witness.example/1', 'cosignature')];
  const receipt = await log.receipt(log.add(...sampleLife()));
  const file = policyFile(log.keys, log.witnesses);
  const trust = { policy: readTrustPolicy(file) };
  const times: number[] = [];
  for (let run = 0; run < 2 * RUNS; run += 1) {
    const begun = performance.now();
    const { status } = await verifyReceipt(receipt, trust);
    if (status !== 'genuine') throw new Error(status);
    // The first half warms up.
    if (run >= RUNS) times.push(performance.now() - begun);
  }
  show(
    'verify_receipt_ms',
    percentile(times, 0.5),
    'ms',
    '15 kB, five entries, one witness; aim 1',
  );
  writeFileSync(join(folder, 'one.receipt.json'), receipt);
  writeFileSync(join(folder, 'policy'), file);
  const words = [BIN, 'verify', 'one.receipt.json', '--trust', 'policy'];
  const commands = Array.from({ length: COMMAND_RUNS }, () => {
    const begun = performance.now();
    const { status } = spawnSync(process.execPath, words, { cwd: folder });
    if (status !== 0) throw new Error(String(status));
    return performance.now() - begun;
  });
  show('verify_receipt_command_ms', percentile(commands, 0.5), 'ms', 'the same; aim 300');
}

async function measureExport(count: number): Promise<void> {
  const key = signingKey('ledger.example/shop');
  const frontier = new Frontier();
  for (let index = 0; index < count; index += 1) frontier.append(leafHash(entry(index)));
  const text = writeCheckpoint({ origin: key.name, size: count, root: frontier.root() });
  const checkpoint = writeNote({ text, signatures: [noteSignature(key, text)] });
  const file = join(folder, 'export');
  const stream = composeExport({ checkpoint, entries: entries(count) });
  await pipeline(Readable.from(stream), createWriteStream(file));
  const trust = { policy: readTrustPolicy(policyFile([key])) };
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  const begun = performance.now();
  const { status } = await verifyExport(createReadStream(file, { highWaterMark: 262_144 }), trust);
  const seconds = (performance.now() - begun) / 1000;
  clearInterval(timer);
  if (status !== 'genuine') throw new Error(status);
  show('verify_export_s', seconds, 's', `${String(count)} entries; aim 10 for 1,000,000`);
  show('verify_export_rss_mib', peak / MIB, 'MiB', 'the most, of the whole process');
}

/** Each entry is another one, so that no hash is known before. */
function entry(index: number): Uint8Array {
  const bytes = Uint8Array.from(LIFE[index % LIFE.length] ?? []);
  new DataView(bytes.buffer).setUint32(0, index);
  return bytes;
}

function* entries(count: number): Generator<Uint8Array> {
  for (let index = 0; index < count; index += 1) yield entry(index);
}

function show(metric: string, value: number, unit: string, note: string): void {
  if (options.json) console.log(JSON.stringify({ metric, value, unit }));
  else
    console.log(`${metric.padEnd(28)} ${value.toFixed(3).padStart(10)} ${unit.padEnd(4)} ${note}`);
}
