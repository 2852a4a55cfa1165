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
import { inventoryProbe, policyCheck } from './commands/checks.ts';
import { halt, halts, resume } from './commands/halts.ts';
import { propose } from './commands/propose.ts';
import { dev, serve } from './commands/serve.ts';
import { reload, status } from './commands/status.ts';

/** The commands. */
export const COMMANDS: readonly Command[] = [
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
  personAdd,
  personList,
  personRevoke,
  policyCheck,
  inventoryProbe,
];

/** The first words of commands of two. */
export const GROUPS: readonly { readonly name: string; readonly summary: string }[] = [
  { name: 'agent', summary: 'enrol, list and revoke agents' },
  { name: 'person', summary: 'enrol, list and revoke people' },
  { name: 'policy', summary: 'check policies' },
  { name: 'inventory', summary: 'look at the systems behind the inventory' },
];
