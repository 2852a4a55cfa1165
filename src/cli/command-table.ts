/** Every command, in the order of the documentation. */
import type { Command } from './command.ts';
import {
  agentAdd,
  agentList,
  agentRevoke,
  personAdd,
  personList,
  personRevoke,
} from './commands/accounts.ts';
import { actions, explain, show, withdraw } from './commands/actions.ts';
import { approve, reject, resolve } from './commands/answers.ts';
import { backup, restore } from './commands/backup.ts';
import { inventoryProbe, policyCheck } from './commands/checks.ts';
import { policyTest } from './commands/policy-test.ts';
import { completion } from './commands/completion.ts';
import { doctor } from './commands/doctor.ts';
import { halt, halts, resume } from './commands/halts.ts';
import { inventoryTypes, policyPrint } from './commands/written.ts';
import { importCurlLine, importOpenapi } from './commands/import.ts';
import { propose } from './commands/propose.ts';
import { init } from './commands/init.ts';
import {
  agentKeyAdd,
  agentKeyList,
  agentKeyRevoke,
  personKeyAdd,
  personKeyList,
  personKeyRevoke,
} from './commands/keys.ts';
import { purge } from './commands/purge.ts';
import { dev, serve } from './commands/serve.ts';
import { reload, status } from './commands/status.ts';

/** The commands. */
export const COMMANDS: readonly Command[] = [
  init,
  dev,
  serve,
  status,
  reload,
  propose,
  actions,
  show,
  explain,
  approve,
  reject,
  resolve,
  withdraw,
  halt,
  halts,
  resume,
  agentAdd,
  agentList,
  agentRevoke,
  agentKeyAdd,
  agentKeyList,
  agentKeyRevoke,
  personAdd,
  personList,
  personRevoke,
  personKeyAdd,
  personKeyList,
  personKeyRevoke,
  policyCheck,
  policyTest,
  policyPrint,
  inventoryProbe,
  inventoryTypes,
  importOpenapi,
  importCurlLine,
  doctor,
  backup,
  restore,
  purge,
  completion,
];

/** The first words of commands of two. */
export const GROUPS: readonly { readonly name: string; readonly summary: string }[] = [
  { name: 'agent', summary: 'enrol, list and revoke agents' },
  { name: 'agent key', summary: 'make, list and revoke the keys of one agent' },
  { name: 'person', summary: 'enrol, list and revoke people' },
  { name: 'person key', summary: 'make, list and revoke the keys of one person' },
  { name: 'policy', summary: 'check and test policies' },
  { name: 'inventory import', summary: 'make operations from what a system says of itself' },
  { name: 'inventory', summary: 'look at the systems behind the inventory' },
];
