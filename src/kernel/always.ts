/**
 * What is required whatever the policy says (DESIGN section 5): known target, operation, arguments
 * and principal; no deadline passed; no halt; the system the lock file names; resolution and preview
 * known; nobody else at the same effect. First what makes judging anything else pointless, then what
 * is judged beside the rules.
 */
import { checkArguments, type ArgumentError } from './arguments.ts';
import type { DecisionInput, EffectOccupant, Halt } from './decision.ts';
import { effectKeyOf } from './effect.ts';
import { shown, type Draft } from './finding.ts';
import type { KnownInput } from './hearing.ts';
import { formatInstant, instantOf } from './instant.ts';
import type { Operation } from './inventory.ts';
import type { JsonObject } from './json/value.ts';
import { personOf } from './people.ts';

/** Why this action can never run, from the action, the inventory and the directory alone. */
export function fatalDrafts(input: DecisionInput): readonly Draft[] {
  const drafts: Draft[] = [];
  addUnknown(drafts, input);
  if (input.now >= input.action.deadline) {
    drafts.push(
      never('deadline_passed', `the deadline was ${formatInstant(input.action.deadline)}`),
    );
  }
  addPrincipal(drafts, input);
  return drafts;
}

function addUnknown(drafts: Draft[], input: DecisionInput): void {
  const { action } = input;
  if (input.target === undefined) {
    drafts.push(never('target_unknown', `no target \`${action.target}\` in the inventory`));
    return;
  }
  if (input.operation === undefined) {
    const message = `no operation \`${action.operation}\` at \`${action.target}\``;
    drafts.push(never('operation_unknown', message));
    return;
  }
  for (const problem of argumentErrors(input.operation, action.args)) {
    const message = `argument \`${shown(problem.pointer)}\` ${problem.message}`;
    drafts.push(never('arguments_invalid', message));
  }
}

/** By arguments: they are frozen when they are parsed, and one action is decided several times. */
const checked = new WeakMap<
  JsonObject,
  { operation: Operation; errors: readonly ArgumentError[] }
>();

function argumentErrors(operation: Operation, args: JsonObject): readonly ArgumentError[] {
  const known = checked.get(args);
  // mutant: arguments that are judged again are judged alike, only later.
  if (known?.operation === operation) return known.errors;
  const errors = checkArguments(operation.arguments, args);
  // mutant: what is not kept is judged again.
  if (Object.isFrozen(args)) checked.set(args, { operation, errors });
  return errors;
}

function addPrincipal(drafts: Draft[], { action, local }: DecisionInput): void {
  const { agent, delegator } = action.principal;
  if (local.agent === undefined) {
    drafts.push(never('principal_unknown', `no agent \`${agent}\``));
    return;
  }
  if (!local.agent.live) drafts.push(never('principal_revoked', `agent \`${agent}\` is revoked`));
  if (!local.agent.delegationLive) {
    drafts.push(never('delegation_revoked', `agent \`${agent}\` no longer acts for that person`));
  }
  if (delegator === undefined) return;
  const person = personOf(local.people, delegator);
  if (person === undefined) drafts.push(never('principal_unknown', `no person \`${delegator}\``));
  else if (!person.live) {
    drafts.push(never('principal_revoked', `person \`${delegator}\` is revoked`));
  }
}

function never(code: Draft['code'], message: string): Draft {
  return { code, status: 'impossible', message };
}

/** What stands in the way now, beside the rules. Safing operations are exempt from halts. */
export function standingDrafts(input: KnownInput): readonly Draft[] {
  const drafts: Draft[] = [];
  addHalts(drafts, input);
  addResolution(drafts, input);
  addPreview(drafts, input);
  addNotBefore(drafts, input);
  addOccupants(drafts, input);
  addRedemption(drafts, input);
  return drafts;
}

/** The part of {@link standingDrafts} that is certain before any system is asked. */
export function haltedDrafts(input: KnownInput): readonly Draft[] {
  const drafts: Draft[] = [];
  addHalts(drafts, input);
  return drafts;
}

function addHalts(drafts: Draft[], input: KnownInput): void {
  if (input.operation.safing) return;
  for (const halt of input.local.halts) {
    if (!covers(halt, input)) continue;
    const message = `halted by ${shown(halt.by)}: ${shown(halt.reason)}`;
    drafts.push({ code: 'halted', status: 'unmet', message, actual: halt.id, waitsFor: 'halt' });
  }
}

/** A halt of an environment covers what the inventory calls so, and what the system calls so. */
function covers({ scope }: Halt, { action, target, operation, resolution }: KnownInput): boolean {
  return (
    (scope.target === undefined || scope.target === action.target) &&
    (scope.operation === undefined || scope.operation === action.operation) &&
    (scope.kind === undefined || scope.kind === operation.kind) &&
    (scope.agent === undefined || scope.agent === action.principal.agent) &&
    (scope.environment === undefined ||
      scope.environment === target.environment ||
      (resolution.kind === 'known' && scope.environment === resolution.value.environment))
  );
}

function addResolution(drafts: Draft[], { resolution, target, operation }: KnownInput): void {
  if (resolution.kind !== 'known') {
    const why = resolution.kind === 'failed' ? shown(resolution.message) : 'was not asked yet';
    drafts.push(unknown('resolution_failed', `\`${target.name}\` is not resolved: ${why}`));
    return;
  }
  const { identity, environment, files, operation: definition } = resolution.value;
  if (definition !== operation.digest) {
    const message = `\`${operation.name}\` was resolved by another definition than the active one`;
    drafts.push(unknown('resolution_failed', message));
  }
  const { locked } = target;
  if (locked === undefined) return;
  if (locked.identity !== undefined && locked.identity !== identity) {
    drafts.push(mismatch('system', { is: identity, locked: locked.identity }));
  }
  if (locked.environment !== undefined && locked.environment !== environment) {
    drafts.push(mismatch('environment', { is: environment, locked: locked.environment }));
  }
  for (const path of Object.keys(files).sort()) {
    if (!Object.hasOwn(locked.files, path) || locked.files[path] === files[path]) continue;
    const message = `file ${shown(path)} is not the one in the lock file`;
    drafts.push({ code: 'pinned_file_changed', status: 'unmet', message, waitsFor: 'fact' });
  }
}

function mismatch(
  what: string,
  { is, locked }: { readonly is: string | null; readonly locked: string },
): Draft {
  return {
    code: 'identity_mismatch',
    status: 'unmet',
    message: `${what} is \`${shown(is)}\`, the lock file says \`${shown(locked)}\``,
    actual: is,
    needed: locked,
    waitsFor: 'fact',
  };
}

function addPreview(drafts: Draft[], { preview, operation }: KnownInput): void {
  if (preview.kind === 'failed') {
    drafts.push(unknown('preview_failed', `no preview: ${shown(preview.message)}`));
  } else if (operation.binding.preview !== undefined) {
    if (preview.kind === 'absent') {
      drafts.push(unknown('preview_failed', 'no preview was read yet'));
    } else if (preview.value === 'none') {
      drafts.push(unknown('preview_failed', 'the system gave no preview'));
    }
  }
}

function unknown(code: Draft['code'], message: string): Draft {
  return { code, status: 'undetermined', message, waitsFor: 'fact' };
}

function addNotBefore(drafts: Draft[], { action, now }: KnownInput): void {
  const { notBefore, deadline } = action;
  if (notBefore === undefined || now >= notBefore) return;
  const message = `not before ${formatInstant(notBefore)}`;
  if (notBefore >= deadline) {
    const late = `${message}, and the deadline is ${formatInstant(deadline)}`;
    drafts.push({ code: 'not_before', status: 'impossible', message: late });
    return;
  }
  drafts.push({ code: 'not_before', status: 'unmet', message, at: notBefore, waitsFor: 'time' });
}

function addOccupants(drafts: Draft[], input: KnownInput): void {
  const { effect, conflict } = input.local;
  if (effect !== undefined) addEffect(drafts, effect, input);
  if (!isSerialised(input)) return;
  const waitsFor = `conflict:${input.operation.conflictKey}`;
  if (conflict.executing !== undefined && conflict.executing !== input.id) {
    const message = `${conflict.executing} is executing at \`${input.operation.conflictKey}\``;
    drafts.push({ code: 'target_busy', status: 'unmet', message, waitsFor });
    return;
  }
  const { preview, now } = input;
  // mutant: what has no instant is not before another one.
  if (conflict.settledAt === undefined || preview.kind !== 'known' || preview.value === 'none') {
    return;
  }
  // What was previewed before another action settled may no longer be what this one would do.
  if (preview.value.observedAt <= conflict.settledAt) {
    const message = `another action settled at \`${input.operation.conflictKey}\` after the preview was read`;
    const at = instantOf(now + 1);
    drafts.push({ code: 'target_busy', status: 'undetermined', message, at, waitsFor });
  }
}

/** Serialised from preview to settlement: what was previewed, and the target itself does not check. */
function isSerialised({ operation }: KnownInput): boolean {
  const previewed = operation.binding.preview !== undefined;
  return previewed && operation.precondition !== 'conditional' && !operation.safing;
}

/** A claim is no crossing: what an executor elsewhere does crosses only while that executor redeems it. */
function addRedemption(drafts: Draft[], input: KnownInput): void {
  const { executor } = input.target;
  if (executor.kind !== 'permit') return;
  const message = whyNotRedeemed(input, executor.audience);
  if (message === undefined) return;
  drafts.push({ code: 'permit_not_redeemed', status: 'unmet', message, waitsFor: 'redemption' });
}

function whyNotRedeemed(
  { redemption, resolution, local, now }: KnownInput,
  audience: string,
): string | undefined {
  if (local.executor?.name !== audience || !local.executor.live) {
    return `there is no live executor \`${audience}\` to redeem the permit`;
  }
  if (redemption === undefined) return `\`${audience}\` has not redeemed the permit`;
  const { by, effect, expiresAt } = redemption;
  if (by !== audience) return `the permit is for \`${audience}\`, not for \`${shown(by)}\``;
  if (now >= expiresAt) return `the permit expired at ${formatInstant(expiresAt)}`;
  // Where there is no resolution another finding says so already.
  return resolution.kind === 'known' && resolution.value.effect !== effect
    ? 'the permit was made for another effect than the present one'
    : undefined;
}

function addEffect(drafts: Draft[], effect: EffectOccupant, input: KnownInput): void {
  if (effect.state === 'succeeded') {
    const message = `${effect.action} did this already`;
    drafts.push({ code: 'already_done', status: 'impossible', message, actual: effect.action });
    return;
  }
  // Of held actions the earliest goes first; ids are in order of time. An action is not in its own way.
  if (effect.state === 'held' && effect.action >= input.id) return;
  drafts.push({
    code: 'effect_busy',
    status: 'unmet',
    message: `${effect.action} is ${effect.state} with the same effect`,
    actual: effect.action,
    waitsFor: `effect:${input.effectKey ?? effectKeyOf(input.operation, input.action.args) ?? ''}`,
  });
}
