/** Blobs on the wire: bytes in, bytes out, and the name that stands in arguments. */
import * as z from 'zod';

/** What became of an upload; the same for the same bytes, whoever put them before. */
export interface BlobView {
  /** What stands in the arguments of an action: `sha256:` and 64 hex digits. */
  readonly blob: string;
  readonly bytes: number;
}

/** {@link BlobView} as sent. */
export const blobView: z.ZodType<BlobView> = z.strictObject({
  blob: z.string().regex(/^sha256:[0-9a-f]{64}$/u),
  bytes: z.int().min(0),
});
