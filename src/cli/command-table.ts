/** Every command, in the order of the documentation. */
import type { Command } from './command.ts';
import {
  agentAdd,
  agentList,
  agentRevoke,
  executorAdd,
  executorList,
  executorRevoke,
  personAdd,
  personList,
  personRevoke,
} from './commands/accounts.ts';
import { actions, explain, show, withdraw } from './commands/actions.ts';
import { approve, reject, resolve } from './commands/answers.ts';
import { backup, restore } from './commands/backup.ts';
import { blobGet, blobPut } from './commands/blobs.ts';
import { inventoryProbe, policyCheck } from './commands/checks.ts';
import { policyTest } from './commands/policy-test.ts';
import { completion } from './commands/completion.ts';
import { doctor } from './commands/doctor.ts';
import { halt, halts, resume } from './commands/halts.ts';
import { inventoryTypes, policyPrint } from './commands/written.ts';
import { importCurlLine, importOpenapi } from './commands/import.ts';
import { ledgerCheckpoint, ledgerExport, receipt } from './commands/ledger.ts';
import { propose } from './commands/propose.ts';
import { init } from './commands/init.ts';
import {
  agentKeyAdd,
  agentKeyList,
  agentKeyRevoke,
  executorKeyAdd,
  executorKeyList,
  executorKeyRevoke,
  personKeyAdd,
  personKeyList,
  personKeyRevoke,
} from './commands/keys.ts';
import { erase } from './commands/erase.ts';
import { purge } from './commands/purge.ts';
import { replay } from './commands/replay.ts';
import { signingRetire, signingRotate, signingShow } from './commands/signing.ts';
import { dev, serve } from './commands/serve.ts';
import { reload, status } from './commands/status.ts';
import { verify } from './commands/verify.ts';

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
  blobPut,
  blobGet,
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
  executorAdd,
  executorList,
  executorRevoke,
  executorKeyAdd,
  executorKeyList,
  executorKeyRevoke,
  policyCheck,
  policyTest,
  policyPrint,
  inventoryProbe,
  inventoryTypes,
  importOpenapi,
  importCurlLine,
  doctor,
  receipt,
  ledgerCheckpoint,
  ledgerExport,
  signingShow,
  signingRotate,
  signingRetire,
  backup,
  restore,
  purge,
  erase,
  replay,
  verify,
  completion,
];

/** The first words of commands of two. */
export const GROUPS: readonly { readonly name: string; readonly summary: string }[] = [
  { name: 'agent', summary: 'enrol, list and revoke agents' },
  { name: 'blob', summary: 'put large inputs of actions, and look at them' },
  { name: 'agent key', summary: 'make, list and revoke the keys of one agent' },
  { name: 'ledger', summary: 'take the ledger along, for whoever checks it elsewhere' },
  { name: 'signing', summary: 'show, rotate and retire the keys that sign the ledger' },
  { name: 'person', summary: 'enrol, list and revoke people' },
  { name: 'person key', summary: 'make, list and revoke the keys of one person' },
  { name: 'executor', summary: 'enrol, list and revoke executors that redeem permits' },
  { name: 'executor key', summary: 'make, list and revoke the keys of one executor' },
  { name: 'policy', summary: 'check and test policies' },
  { name: 'inventory import', summary: 'make operations from what a system says of itself' },
  { name: 'inventory', summary: 'look at the systems behind the inventory' },
];
