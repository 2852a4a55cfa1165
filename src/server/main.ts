/**
 * What the command is handed of the layer. Each part is loaded when it is used: a start has two
 * seconds, and a check needs no listener.
 */
import type {
  DevOptions,
  Ended,
  InventoryProbed,
  InventoryProbeOptions,
  PolicyChecked,
  PolicyCheckOptions,
  ServeOptions,
} from '../cli/server-door.ts';

/** Runs the layer with a configuration file until it is told to stop. */
export async function serve(options: ServeOptions): Promise<Ended> {
  return (await import('./serve.ts')).serve(options);
}

/** Runs the layer for development until it is told to stop. */
export async function dev(options: DevOptions): Promise<Ended> {
  return (await import('./dev.ts')).dev(options);
}

/** Checks policies as a start would. */
export async function policyCheck(options: PolicyCheckOptions): Promise<PolicyChecked> {
  return (await import('./checks.ts')).policyCheck(options);
}

/** Asks every system of the inventory who it is. */
export async function inventoryProbe(options: InventoryProbeOptions): Promise<InventoryProbed> {
  return (await import('./checks.ts')).inventoryProbe(options);
}
