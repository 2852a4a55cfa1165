/** The routes of accounts and their keys; part of the one table in `routes.ts`. */
import {
  accountList,
  accountView,
  agentRequest,
  enrolledView,
  executorRequest,
  keyList,
  keyRequest,
  keyView,
  personRequest,
  rolesRequest,
  type AccountList,
  type AccountView,
  type AgentRequest,
  type EnrolledView,
  type ExecutorRequest,
  type KeyList,
  type KeyRequest,
  type KeyView,
  type PersonRequest,
  type RolesRequest,
} from './directory.ts';
import { noQuery, type NoQuery } from './query.ts';
import type { Route } from './routes.ts';

/** The routes with the types of what they take and give. */
export interface DirectoryRouteTable {
  readonly enrolAgent: Route<AgentRequest, NoQuery, EnrolledView>;
  readonly agents: Route<undefined, NoQuery, AccountList>;
  readonly revokeAgent: Route<undefined, NoQuery, AccountView>;
  readonly agentRoles: Route<RolesRequest, NoQuery, AccountView>;
  readonly agentKeys: Route<undefined, NoQuery, KeyList>;
  readonly addAgentKey: Route<KeyRequest, NoQuery, EnrolledView>;
  readonly revokeAgentKey: Route<undefined, NoQuery, KeyView>;
  readonly enrolPerson: Route<PersonRequest, NoQuery, EnrolledView>;
  readonly people: Route<undefined, NoQuery, AccountList>;
  readonly revokePerson: Route<undefined, NoQuery, AccountView>;
  readonly personRoles: Route<RolesRequest, NoQuery, AccountView>;
  readonly personKeys: Route<undefined, NoQuery, KeyList>;
  readonly addPersonKey: Route<KeyRequest, NoQuery, EnrolledView>;
  readonly revokePersonKey: Route<undefined, NoQuery, KeyView>;
  readonly enrolExecutor: Route<ExecutorRequest, NoQuery, EnrolledView>;
  readonly executors: Route<undefined, NoQuery, AccountList>;
  readonly revokeExecutor: Route<undefined, NoQuery, AccountView>;
  readonly executorKeys: Route<undefined, NoQuery, KeyList>;
  readonly addExecutorKey: Route<undefined, NoQuery, EnrolledView>;
  readonly revokeExecutorKey: Route<undefined, NoQuery, KeyView>;
}

const OPERATOR = ['operator'] as const;
const STEERING = ['person', 'operator'] as const;

const READ = { method: 'GET', body: undefined, query: noQuery, statuses: [200] } as const;
const WRITE = { method: 'POST', query: noQuery, statuses: [200] } as const;
const END = { method: 'DELETE', body: undefined, query: noQuery, statuses: [200] } as const;

/** Every route of accounts by name. */
export const DIRECTORY_ROUTES: DirectoryRouteTable = {
  enrolAgent: {
    ...WRITE,
    path: '/v1/agents',
    auth: OPERATOR,
    summary: 'Enrol an agent, or make another key for it',
    body: agentRequest,
    answer: enrolledView,
    statuses: [201],
  },
  agents: {
    ...READ,
    path: '/v1/agents',
    auth: STEERING,
    summary: 'All agents',
    answer: accountList,
  },
  revokeAgent: {
    ...END,
    path: '/v1/agents/{name}',
    auth: OPERATOR,
    summary: 'Revoke an agent and all its keys, for good',
    answer: accountView,
  },
  agentRoles: {
    ...WRITE,
    path: '/v1/agents/{name}/roles',
    auth: OPERATOR,
    summary: 'Replace the roles of an agent',
    body: rolesRequest,
    answer: accountView,
  },
  agentKeys: {
    ...READ,
    path: '/v1/agents/{name}/keys',
    auth: OPERATOR,
    summary: 'The keys of an agent, without the keys',
    answer: keyList,
  },
  addAgentKey: {
    ...WRITE,
    path: '/v1/agents/{name}/keys',
    auth: OPERATOR,
    summary: 'Make another key for an agent; those there are stay good',
    body: keyRequest,
    answer: enrolledView,
    statuses: [201],
  },
  revokeAgentKey: {
    ...END,
    path: '/v1/agents/{name}/keys/{key}',
    auth: OPERATOR,
    summary: 'Revoke one key of an agent, for good; its other keys go on',
    answer: keyView,
  },
  enrolPerson: {
    ...WRITE,
    path: '/v1/people',
    auth: OPERATOR,
    summary: 'Enrol a person, or make another key for them',
    body: personRequest,
    answer: enrolledView,
    statuses: [201],
  },
  people: {
    ...READ,
    path: '/v1/people',
    auth: STEERING,
    summary: 'All people',
    answer: accountList,
  },
  revokePerson: {
    ...END,
    path: '/v1/people/{name}',
    auth: OPERATOR,
    summary: 'Revoke a person and all their keys, for good',
    answer: accountView,
  },
  personRoles: {
    ...WRITE,
    path: '/v1/people/{name}/roles',
    auth: OPERATOR,
    summary: 'Replace the roles of a person',
    body: rolesRequest,
    answer: accountView,
  },
  personKeys: {
    ...READ,
    path: '/v1/people/{name}/keys',
    auth: OPERATOR,
    summary: 'The keys of a person, without the keys',
    answer: keyList,
  },
  addPersonKey: {
    ...WRITE,
    path: '/v1/people/{name}/keys',
    auth: OPERATOR,
    summary: 'Make another key for a person; those there are stay good',
    body: keyRequest,
    answer: enrolledView,
    statuses: [201],
  },
  revokePersonKey: {
    ...END,
    path: '/v1/people/{name}/keys/{key}',
    auth: OPERATOR,
    summary: 'Revoke one key of a person, for good; its other keys go on',
    answer: keyView,
  },
  enrolExecutor: {
    ...WRITE,
    path: '/v1/executors',
    auth: OPERATOR,
    summary: 'Enrol an executor that redeems permits, or make another key for it',
    body: executorRequest,
    answer: enrolledView,
    statuses: [201],
  },
  executors: {
    ...READ,
    path: '/v1/executors',
    auth: STEERING,
    summary: 'All executors that redeem permits',
    answer: accountList,
  },
  revokeExecutor: {
    ...END,
    path: '/v1/executors/{name}',
    auth: OPERATOR,
    summary: 'Revoke an executor and all its keys, for good',
    answer: accountView,
  },
  executorKeys: {
    ...READ,
    path: '/v1/executors/{name}/keys',
    auth: OPERATOR,
    summary: 'The keys of an executor, without the keys',
    answer: keyList,
  },
  addExecutorKey: {
    ...WRITE,
    path: '/v1/executors/{name}/keys',
    auth: OPERATOR,
    summary: 'Make another key for an executor; those there are stay good',
    body: undefined,
    answer: enrolledView,
    statuses: [201],
  },
  revokeExecutorKey: {
    ...END,
    path: '/v1/executors/{name}/keys/{key}',
    auth: OPERATOR,
    summary: 'Revoke one key of an executor, for good; its other keys go on',
    answer: keyView,
  },
};
