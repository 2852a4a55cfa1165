/** The `approval` and `confirmation` requirements: who said yes, who is still to be asked, until when. */
import type { Approval, Ask } from '../decision.ts';
import type { Digest } from '../digest.ts';
import {
  endOf,
  fromText,
  needOf,
  tallyOf,
  type ConsentRequirement,
  type Tally,
} from '../consent.ts';
import { NO_DRAFTS, type Draft } from '../finding.ts';
import { consentOf, sameOf, type Hearing } from '../hearing.ts';
import { addMs, formatInstant, type Instant } from '../instant.ts';
import { movedParts } from '../moved.ts';
import { failing, type Assessment } from './assessment.ts';

const NOBODY: Tally = { counted: [], unclear: [], moved: [], expired: [], notEntitled: [] };

/** Judges who said yes; see `consent.ts` for which yes counts. */
export function assessConsent(
  requirement: ConsentRequirement,
  digest: Digest,
  hearing: Hearing,
): Assessment {
  const { input } = hearing;
  // Digests and alias classes cost more than all the rest: without an approval nobody asks for them.
  const tally =
    // mutant: of no answers nothing is counted.
    input.local.approvals.length === 0
      ? NOBODY
      : tallyOf({
          requirement,
          digest,
          input,
          consent: consentOf(hearing),
          same: sameOf(hearing),
        });
  const need = needOf(requirement);
  if (tally.counted.length >= need) return consumed(tally.counted.slice(0, need), requirement);
  return unmet(requirement, { digest, tally, hearing });
}

function unmet(
  requirement: ConsentRequirement,
  of: { readonly digest: Digest; readonly tally: Tally; readonly hearing: Hearing },
): Assessment {
  const { digest, tally, hearing } = of;
  const need = needOf(requirement);
  const have = tally.counted.length;
  const until = askUntil(requirement, hearing);
  const why = explained(tally, requirement, hearing);
  if (hearing.input.now < until) {
    const ask = askOf(requirement, { digest, have, need, until });
    const drafts = [...why, missing(requirement, { have, need, until })];
    return { status: 'unmet', drafts, ask, until: Infinity, wakeAt: until };
  }
  // Enough people said yes; whether to this is not known while a system does not answer.
  if (tally.unclear.length >= need) {
    return failing({
      ...missing(requirement, { have, need, until }),
      status: 'undetermined',
      waitsFor: 'fact',
    });
  }
  const drafts = why.map((draft): Draft => ({ ...draft, status: 'impossible' }));
  drafts.push(askOver(requirement, { have, need, until }));
  return { status: 'impossible', drafts, until: Infinity, wakeAt: Infinity };
}

function consumed(counted: readonly Approval[], requirement: ConsentRequirement): Assessment {
  let until = Infinity;
  for (const approval of counted) until = Math.min(until, endOf(approval, requirement));
  const consumes = counted.map((approval) => approval.id);
  return { status: 'met', drafts: NO_DRAFTS, consumes, until, wakeAt: Infinity };
}

function askUntil(requirement: ConsentRequirement, { input }: Hearing): Instant {
  const { deadline } = input.action;
  if (requirement.askForMs === undefined) return deadline;
  const until = addMs(input.askedSince, requirement.askForMs);
  // mutant (boundary): of two equal instants either is the sooner.
  return until < deadline ? until : deadline;
}

interface Asked {
  readonly have: number;
  readonly need: number;
  readonly until: Instant;
}

function askOf(requirement: ConsentRequirement, asked: Asked & { readonly digest: Digest }): Ask {
  return {
    kind: requirement.kind,
    requirement: asked.digest,
    from: requirement.kind === 'approval' ? requirement.from : 'delegator',
    have: asked.have,
    need: asked.need,
    validForMs: requirement.validForMs,
    until: asked.until,
  };
}

function missing(requirement: ConsentRequirement, { have, need }: Asked): Draft {
  return {
    code: requirement.kind === 'approval' ? 'approval_missing' : 'confirmation_missing',
    status: 'unmet',
    message: `${String(have)} of ${String(need)} from ${fromText(requirement)}`,
    actual: have,
    needed: need,
    waitsFor: 'approval',
  };
}

function askOver(requirement: ConsentRequirement, { have, need, until }: Asked): Draft {
  return {
    code: 'approval_ask_over',
    status: 'impossible',
    message: `could be asked of ${fromText(requirement)} until ${formatInstant(until)}: ${String(have)} of ${String(need)} came`,
    actual: have,
    needed: need,
  };
}

/** Why answers that were given do not count. */
function explained(
  tally: Tally,
  requirement: ConsentRequirement,
  { input }: Hearing,
): readonly Draft[] {
  const what = requirement.kind;
  const moved = tally.moved.map((approval): Draft => {
    // mutant: nothing has moved before it is known to what.
    const parts = input.consent ? movedParts(approval.subject, input.consent) : [];
    return {
      code: 'consent_moved',
      status: 'unmet',
      message: `${approval.approver} consented before this moved: ${parts.join('; ')}`,
      actual: parts,
      waitsFor: 'approval',
    };
  });
  const expired = tally.expired.map((approval): Draft => {
    const end = formatInstant(addMs(approval.at, endOf(approval, requirement) - approval.at));
    return {
      code: 'approval_expired',
      status: 'unmet',
      message: `the ${what} of ${approval.approver} expired at ${end}`,
      actual: end,
      waitsFor: 'approval',
    };
  });
  const notEntitled = tally.notEntitled.map(({ approval, reason }): Draft => {
    return {
      code: 'approver_not_entitled',
      status: 'unmet',
      message: `the ${what} of ${approval.approver} does not count: ${reason}`,
      waitsFor: 'approval',
    };
  });
  return [...moved, ...expired, ...notEntitled];
}
