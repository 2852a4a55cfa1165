/** A small world for the tests of the API: one box with a program that does as it is told. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { startLayer, type Layer, type LayerParts } from '../fixtures/layer.ts';

/** Writes a line for each effect; the first word says how to behave. */
const ACT = `#!/bin/sh
case "$1" in
  fail) exit 4;;
  slow) sleep 1.2;;
  hang) sleep 30;;
  lose) echo "$EXEQUATUR_EXECUTION_ID" >> effects; kill -KILL $$;;
  leak) printf 'token %s' "$TOKEN"; exit 0;;
esac
echo "$1 $2" >> effects
echo "done $2"
`;

const INVENTORY = `
version: 1
targets:
  box:
    environment: staging
    process: { cwd: "{folder}" }
    operations:
      ping:
        kind: api.call
        args: { mode: string, text: string }
        run: ["{folder}/act.sh", $mode, $text]
        timeout: 3s
      deploy:
        kind: code.execute
        args: { text: string }
        visible: [text]
        run: ["{folder}/act.sh", deploy, $text]
        timeout: 3s
      erase:
        kind: data.delete
        args: { rows: integer }
        measures: { rows: args.rows }
        run: ["{folder}/act.sh", erase, "$rows"]
        timeout: 3s
      print:
        kind: api.call
        args: { text: blob }
        run: [/bin/cat, $text]
        timeout: 3s
  arm:
    environment: staging
    permit: { audience: cell }
    operations:
      wave: { kind: device.control }
  vault:
    environment: staging
    process: { cwd: "{folder}", credential: TOKEN }
    credentials: { act: "env:VAULT_TOKEN" }
    operations:
      tell:
        kind: api.call
        run: ["{folder}/act.sh", leak]
        timeout: 3s
`;

/** Everyone pings; deploys need a lead; few rows may be erased. */
export const POLICY = `
version: 1
roles: [lead]
rules:
  - id: everyone-pings
    match: { operation: [ping, tell, print, wave] }
    allow: []
  - id: deploys-need-a-lead
    match: { operation: deploy }
    require:
      - approval: { from: "role:lead", count: 1, validFor: 1h }
  - id: everyone-deploys
    match: { operation: deploy }
    allow: []
  - id: no-mass-deletion
    match: { operation: erase }
    when: measures.rows > 1000
    deny: Split the deletion.
  - id: few-rows
    match: { operation: erase }
    allow: []
`;

/** Starts the box with changes to what the layer is made of. */
export function startBox(changes: Partial<LayerParts> = {}): Promise<Layer> {
  return startLayer({
    policy: POLICY,
    inventory: INVENTORY,
    files: { 'act.sh': ACT },
    environment: { VAULT_TOKEN: 'tok-0123456789' },
    ...changes,
  });
}

/** The body of a proposal to ping. */
export function ping(mode = 'ok', text = 'hello'): Readonly<Record<string, unknown>> {
  return { target: 'box', operation: 'ping', args: { mode, text } };
}

/** The body of a proposal to print a blob. */
export function print(sha256: string): Readonly<Record<string, unknown>> {
  return { target: 'box', operation: 'print', args: { text: `sha256:${sha256}` } };
}

/** The body of a proposal that waits for a lead. */
export function deploy(text = 'v1'): Readonly<Record<string, unknown>> {
  return { target: 'box', operation: 'deploy', args: { text } };
}

/** What the program did, a line an effect. */
export function effectsOf({ folder }: Pick<Layer, 'folder'>): readonly string[] {
  const path = join(folder, 'effects');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
