/** Canonical bytes with their digest, and an explanation for people: microseconds each. */
import { decide } from '../src/kernel/decide.ts';
import { digestBytes } from '../src/kernel/digest.ts';
import { explainDecision } from '../src/kernel/explain.ts';
import { parseJson } from '../src/kernel/json/parse.ts';
import { canonicalBytes } from '../src/kernel/json/write.ts';
import type { CompiledPolicy } from '../src/kernel/policy/compiled.ts';
import { inputOf } from './decide.ts';
import { argsOf } from './layer.ts';
import { microseconds } from './measure.ts';

const BODY_BYTES = 600;

/** Parsing, writing canonically and digesting a body of 600 bytes. */
export function canonicaliseMicroseconds(): number {
  const text = JSON.stringify({ target: 'shop-0', operation: 'refund', args: argsOf(1), note: '' });
  const padding = 'n'.repeat(BODY_BYTES - text.length);
  const bytes = Buffer.from(text.replace('"note":""', `"note":"${padding}"`));
  if (bytes.length !== BODY_BYTES) throw new Error('the body has another size');
  return microseconds(20_000, () => {
    const parsed = parseJson(bytes);
    if (!parsed.ok) throw new Error('the body is json');
    digestBytes('exequatur/action/v1', canonicalBytes(parsed.value));
  });
}

/** Explaining an admission. */
export function explainMicroseconds(policy: CompiledPolicy): number {
  const input = inputOf(policy);
  const decision = decide(policy, input);
  return microseconds(2000, () => explainDecision(policy, input, decision));
}
