/**
 * The looks of the process executor: a preview before the effect, and the search for evidence after
 * it. Both run a program that only reads, with the credential `look` and never with `act`.
 */
import type { EffectRequest, Outcome } from '../../engine/ports.ts';
import type { Preview } from '../../kernel/action.ts';
import type { ExecutionId } from '../../kernel/id.ts';
import type { Template } from '../../kernel/inventory.ts';
import { parseAnswer } from '../answer.ts';
import type { Lease } from '../credentials.ts';
import { select } from '../pointer.ts';
import { refuse } from '../refusal.ts';
import { knowSecrets } from '../secrets.ts';
import { EXECUTION_PLACEHOLDER } from '../template.ts';
import {
  digestsOf,
  effectFiles,
  processBinding,
  renderArgv,
  type ProcessBinding,
} from './compile.ts';
import { copyBlobs } from './blob-copies.ts';
import { confine, showing } from './confinement.ts';
import { declared, programResult } from './outcome.ts';
import { planMaterial } from './terraform-plan.ts';
import { runProgram, type ProgramEnd } from './program.ts';
import {
  filesOf,
  leaseVariable,
  pinAll,
  programOf,
  variablesOf,
  type ProcessTools,
} from './tools.ts';

/** A look takes no longer than this, whatever the operation itself may take. */
const LOOK_MS_MAX = 30_000;

/** What the declared program shows, else the argv and the digests of the files behind it. */
export async function previewProgram(
  request: EffectRequest,
  tools: ProcessTools,
  signal: AbortSignal,
): Promise<Preview> {
  const observedAt = tools.clock.now();
  const binding = processBinding(request.target, request.operation);
  const { preview, run } = binding.operation;
  if (preview === undefined) {
    const files = filesOf(await pinAll(binding, tools));
    const argv = renderArgv(run, request, EXECUTION_PLACEHOLDER);
    const named = digestsOf(effectFiles(binding.operation), files);
    return { material: { argv, files: named }, context: {}, observedAt };
  }
  const end = await look({ request, binding, run: preview.run, signal }, tools);
  if (end.kind === 'not_started') return refuse('preview_failed', end.message);
  if (end.endedBy === 'cancelled' || end.endedBy === 'timeout') {
    return refuse(end.endedBy, 'the preview program did not end in time');
  }
  if (end.exitCode !== 0 || !end.gone || end.endedBy !== undefined) {
    return refuse('preview_failed', 'the preview program did not succeed');
  }
  const answer = parseAnswer(end.stdout, tools.masker);
  if (answer === undefined) return refuse('preview_failed', 'the preview is no strict json');
  const material =
    preview.as === undefined ? select(answer, preview.material, true) : planMaterial(answer);
  if (material === undefined) {
    return refuse('preview_failed', 'the preview is no plan that could be applied');
  }
  return {
    material,
    context: select(answer, preview.context, false),
    observedAt,
  };
}

/** What the declared program says became of an execution; `undefined` where it cannot tell. */
export async function reconcileProgram(
  request: EffectRequest,
  execution: ExecutionId,
  tools: ProcessTools,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const binding = processBinding(request.target, request.operation);
  const { reconcile } = binding.operation;
  if (reconcile === undefined) return undefined;
  const end = await look({ request, binding, run: reconcile.run, signal, execution }, tools);
  if (end.kind === 'not_started') return refuse('reconcile_failed', end.message);
  if (end.exitCode === null || !end.gone || end.endedBy !== undefined) {
    return refuse('reconcile_failed', 'the program that looks for evidence did not end by itself');
  }
  const state = declared(reconcile.exits, String(end.exitCode));
  if (state === undefined || state === 'unknown') return undefined;
  const code = `evidence_exit_${String(end.exitCode)}`;
  const message = 'the program that looks for evidence found how it ended';
  // Even where it did not happen, nobody can say that no byte of it was sent.
  return { state, sent: true, code, message, result: programResult(end) };
}

interface Look {
  readonly request: EffectRequest;
  readonly binding: ProcessBinding;
  readonly run: readonly Template[];
  readonly signal: AbortSignal;
  readonly execution?: ExecutionId;
}

async function look(
  { request, binding, run, signal, execution }: Look,
  tools: ProcessTools,
): Promise<ProgramEnd> {
  const confined = await confine(binding);
  const { user } = confined;
  const copies = await copyBlobs(tools.blobs, { request, run, user, signal });
  let leased: Lease | undefined;
  try {
    await knowSecrets(request, tools);
    leased = await leaseVariable(request.target.credentials.look, binding, tools);
    const environment = variablesOf(binding, { leased, execution }, tools);
    const argv = renderArgv(run, request, execution ?? EXECUTION_PLACEHOLDER, copies.pathOf);
    const paths = copies.files.map(({ path }) => path);
    const confinement = showing(confined, paths);
    const program = {
      ...programOf(request, binding, argv, { environment, confinement }),
      timeoutMs: Math.min(request.operation.timeoutMs, LOOK_MS_MAX),
    };
    return await runProgram(program, { ...tools, signal, starting: () => true });
  } finally {
    copies.release();
    leased?.release();
  }
}
