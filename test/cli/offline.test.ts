/** Commands that need no daemon: each file in `offline/` is typed in a folder with a policy and its cases. */
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeDirectory, removeDirectory } from './layer.ts';
import { openSession } from './transcript.ts';

const OFFLINE = fileURLToPath(new URL('offline', import.meta.url));

const CASES = `version: 1
now: 2026-11-24T12:00:00Z
agents: { bot: { roles: release, owners: dana } }
people: { dana: [], mei: [lead] }
cases:
  - name: staging is deployed to at once
    action: { agent: bot, target: staging, operation: deploy, args: { version: v1 } }
    expect: admit
  - name: production waits for a lead
    action: { agent: bot, target: production, operation: deploy, args: { version: v1 } }
    expect: { verdict: hold, findings: [{ code: approval_missing, rule: production-needs-consent }] }
`;

const WRONG = `version: 1
now: 2026-11-24T12:00:00Z
people: { mei: [lead] }
cases:
  - name: staging is for everybody
    action: { agent: bot, target: staging, operation: deploy, args: { version: v1 } }
    expect: admit
  - name: the first version runs
    action: { agent: bot, roles: release, target: staging, operation: deploy, args: { version: v0 } }
    expect: { verdict: deny, findings: [no_rule_allows] }
`;

const BAD = `version: 1
cases:
  - name: when is it
    action: { agent: bot, target: staging, operation: deploy }
    expect: admit
  - name: nothing is what it seems
    now: tomorrow
    expect: admit
    action: { agent: bot, target: staging, operation: deploy }
  - name: names that are nowhere
    now: 2026-11-24T12:00:00Z
    action: { agent: bot, roles: releas, owners: dana, target: staging, operation: deploy, argz: {} }
    facts: { incident: true }
    used: { deploys: 3 }
    approvals: [{ by: mei, from: role:leed }]
    expect: { verdict: hold, findings: [aproval_missing, { code: halted, rule: production } ] }
  - name: names that are nowhere
    now: 2026-11-24T12:00:00Z
    action: { agent: bot, target: staging, operation: deploy }
    expect: maybe
`;

const UNREACHED = `version: 1
roles: [release, lead]
rules:
  - id: release-deploys
    match: { kind: code.execute, principal: { role: release } }
    allow: [{ limit: { name: deploys, count: 3, per: 1h } }]
  - id: everybody-deploys
    match: { kind: code.execute }
    allow: true
  - id: everybody-deploys-again
    match: { kind: [code.execute] }
    allow: true
  - id: not-yet
    match: { target: production }
    deny: We watch first.
    shadow: true
  - id: staging-is-closed
    match: { target: staging }
    deny: Staging is closed.
  - id: staging-of-leads
    match: { target: staging, principal: { role: lead } }
    require: [approval: { from: role:lead }]
`;

const BROKEN = `version: 1
rules:
  - id: a
    match: { knd: code.execute }
    allow: true
`;

const TYPED = `interface Document { readonly version: 1; readonly rules: readonly object[] }
export const policy: Document = { version: 1, rules: [{ id: 'all', allow: true }] };
`;

for (const name of readdirSync(OFFLINE)) {
  test(`without a daemon the command prints what offline/${name} says`, async () => {
    const directory = await makeDirectory();
    try {
      await writeFile(join(directory, 'policy.test.yaml'), CASES);
      await writeFile(join(directory, 'wrong.yaml'), WRONG);
      await writeFile(join(directory, 'bad.yaml'), BAD);
      await writeFile(join(directory, 'unreached.yaml'), UNREACHED);
      await writeFile(join(directory, 'broken.yaml'), BROKEN);
      await writeFile(join(directory, 'typed.ts'), TYPED);
      await writeFile(join(directory, 'other.ts'), 'export const rules = [];\n');
      await writeFile(
        join(directory, 'live.ts'),
        'export const policy = { version: 1, rules: () => [] };\n',
      );
      await openSession(directory).play(join(OFFLINE, name));
    } finally {
      await removeDirectory(directory);
    }
  });
}
