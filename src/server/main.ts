/**
 * What the command is handed of the layer. Each part is loaded when it is used: a start has two
 * seconds, and a check needs no listener.
 */
import type {
  DevOptions,
  DoctorOptions,
  Ended,
  ImportOptions,
  InventoryImported,
  Examined,
  Initialised,
  InitOptions,
  InventoryProbed,
  InventoryProbeOptions,
  InventoryTypesOptions,
  PolicyChecked,
  PolicyCheckOptions,
  Refused,
  PolicyPrinted,
  PolicyPrintOptions,
  PolicyTested,
  PoliciesRefused,
  Reconsidered,
  ReconsiderOptions,
  Replayed,
  ReplayOptions,
  RestoreDone,
  RestoreOptions,
  PolicyTestOptions,
  ServeOptions,
  SigningDone,
  SigningOptions,
  SigningShown,
  SigningShowOptions,
  TypesWritten,
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

/** Decides the cases of files by the policy on disk. */
export async function policyTest(options: PolicyTestOptions): Promise<PolicyTested> {
  return (await import('./policy-test.ts')).policyTest(options);
}

/** A policy of TypeScript as the document that a layer loads. */
export async function policyPrint(options: PolicyPrintOptions): Promise<PolicyPrinted> {
  return (await import('./offline.ts')).policyPrint(options);
}

/** The inventory as TypeScript types. */
export async function inventoryTypes(options: InventoryTypesOptions): Promise<TypesWritten> {
  return (await import('./offline.ts')).inventoryTypes(options);
}

/** Makes an inventory from a document or a command line. */
export async function inventoryImport(options: ImportOptions): Promise<InventoryImported> {
  return (await import('./imports.ts')).inventoryImport(options);
}

/** Asks every system of the inventory who it is. */
export async function inventoryProbe(options: InventoryProbeOptions): Promise<InventoryProbed> {
  return (await import('./checks.ts')).inventoryProbe(options);
}

/** Writes the files of an empty start. */
export async function init(options: InitOptions): Promise<Initialised | Refused> {
  return (await import('./init.ts')).init(options);
}

/** Looks at everything that a safe operation rests on. */
export async function doctor(options: DoctorOptions): Promise<readonly Examined[]> {
  return (await import('./doctor.ts')).doctor(options);
}

/** Puts a backup in the place of a stopped store. */
export async function restore(options: RestoreOptions): Promise<RestoreDone | Refused> {
  return (await import('./restore.ts')).restoreStore(options);
}

/** Makes recorded decisions again, and compares. */
export async function replay(options: ReplayOptions): Promise<Replayed | Refused> {
  return (await import('./replay.ts')).replay(options);
}

/** Makes recorded decisions again under another policy. */
export async function reconsider(
  options: ReconsiderOptions,
): Promise<Reconsidered | PoliciesRefused | Refused> {
  return (await import('./reconsider.ts')).reconsiderAll(options);
}

/** The public signing keys as a key policy. */
export async function signingShow(options: SigningShowOptions): Promise<SigningShown | Refused> {
  return (await import('./signing.ts')).signingShow(options);
}

/** Makes the next signing key. */
export async function signingRotate(options: SigningOptions): Promise<SigningDone | Refused> {
  return (await import('./signing.ts')).signingRotate(options);
}

/** Puts the older of two signing keys aside. */
export async function signingRetire(options: SigningOptions): Promise<SigningDone | Refused> {
  return (await import('./signing.ts')).signingRetire(options);
}
