/**
 * Blobs as files of a private directory, owned by the process that owns the store:
 *
 *     blobs/.upload-…                 on its way in; nobody's
 *     blobs/TENANT/SHA256             the bytes
 *     blobs/TENANT/SHA256.AGENT       empty: this agent put them, and used them last when it was modified
 *
 * A crash leaves at most an upload, or bytes that no agent has; both are removed at the next start.
 * The name says what the bytes are, and whoever reads them checks it.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
} from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  BlobPut,
  BlobRefusalCode,
  BlobStore,
  BlobUpload,
  BlobUse,
  Clock,
  OpenBlob,
} from '../../engine/ports.ts';
import { parseDigest, type Digest } from '../../kernel/digest.ts';
import {
  parseAgentName,
  parseTenantName,
  type AgentName,
  type TenantName,
} from '../../kernel/id.ts';
import { syncDirectory } from '../sqlite/files.ts';
import { BLOB_LIMITS, type BlobLimits } from './limits.ts';
import { BlobQuota, counted, type Reservation } from './quota.ts';

/** What blobs are kept with. */
export interface FileBlobsParts {
  /** Made, mode 0700, where it is not there. */
  readonly directory: string;
  readonly clock: Clock;
  readonly limits?: Partial<BlobLimits>;
}

/** Opens the directory, and removes what a crash left in it. */
export function openFileBlobs({ directory, clock, limits }: FileBlobsParts): BlobStore {
  return new FileBlobs(directory, clock, { ...BLOB_LIMITS, ...limits });
}

/** No name of a tenant begins with a dot. */
const UPLOAD = '.upload-';
const GONE = '.gone-';
const CHUNK_BYTES = 262_144;

interface StoredBlob {
  readonly tenant: TenantName;
  readonly digest: Digest;
  readonly bytes: number;
  /** When each agent that has it used it last. */
  readonly usedAt: Map<AgentName, number>;
}

class FileBlobs implements BlobStore {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #limits: BlobLimits;
  readonly #quota: BlobQuota;
  readonly #blobs = new Map<string, StoredBlob>();
  /** What was in use when that was last looked at: it may have been used until just now. */
  #inUse: readonly BlobUse[] = [];

  constructor(directory: string, clock: Clock, limits: BlobLimits) {
    this.#directory = directory;
    this.#clock = clock;
    this.#limits = limits;
    this.#quota = new BlobQuota(limits);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const tenant = entry.isDirectory() ? parseTenantName(entry.name) : undefined;
      if (tenant === undefined) rmSync(join(directory, entry.name), REMOVE);
      else this.#load(tenant);
    }
  }

  // ------------------------------------------------------ in

  async put(upload: BlobUpload): Promise<BlobPut> {
    const reservation = this.#quota.enter(agentKey(upload), this.has(upload));
    if (typeof reservation === 'string') return refused(reservation);
    const path = join(this.#directory, `${UPLOAD}${randomBytes(12).toString('hex')}`);
    try {
      // Refused before anything is read, where the sender says how much it will be.
      const code = this.#quota.grow(reservation, upload.bytesDeclared ?? 0);
      return code === undefined ? await this.#take(upload, reservation, path) : refused(code);
    } catch (error) {
      if (isNoRoom(error)) return refused('store_full');
      throw error;
    } finally {
      this.#quota.leave(reservation);
      // Nothing is there any more where it was kept.
      await rm(path, REMOVE);
    }
  }

  async #take(upload: BlobUpload, reservation: Reservation, path: string): Promise<BlobPut> {
    const hash = createHash('sha256');
    const file = await open(path, 'wx', 0o600);
    let bytes = 0;
    try {
      for await (const chunk of upload.body) {
        bytes += chunk.length;
        const code = this.#quota.grow(reservation, bytes);
        if (code !== undefined) return refused(code);
        hash.update(chunk);
        await file.appendFile(chunk);
      }
      if (hash.digest('hex') !== upload.digest) return refused('blob_digest_mismatch');
      await file.sync();
    } finally {
      await file.close();
    }
    this.#commit(upload, bytes, path);
    return { kind: 'stored', bytes };
  }

  /**
   * Gives the bytes their name, then their agent. Nothing is awaited, so that nothing expires between.
   * A crash here leaves bytes that no agent has, or both; the answer comes once both are durable.
   */
  #commit({ tenant, agent, digest }: BlobUpload, bytes: number, path: string): void {
    const folder = join(this.#directory, tenant);
    if (mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined) {
      syncDirectory(this.#directory);
    }
    renameSync(path, join(folder, digest));
    closeSync(openSync(this.#marker({ tenant, agent, digest }), 'a', 0o600));
    syncDirectory(folder);
    const key = blobKey(tenant, digest);
    const before = this.#blobs.get(key);
    // A file that was changed behind the layer may have had another size; now it is right again.
    if (before !== undefined) this.#count(before, -1);
    const stored = { tenant, digest, bytes, usedAt: new Map(before?.usedAt) };
    stored.usedAt.set(agent, 0);
    this.#blobs.set(key, stored);
    this.#count(stored, 1);
    this.keep({ tenant, agent, digest });
  }

  // ------------------------------------------------------ out

  has({ tenant, agent, digest }: BlobUse): boolean {
    return this.#blobs.get(blobKey(tenant, digest))?.usedAt.has(agent) ?? false;
  }

  keep(use: BlobUse): boolean {
    if (!this.has(use)) return false;
    const now = this.#clock.now();
    this.#blobs.get(blobKey(use.tenant, use.digest))?.usedAt.set(use.agent, now);
    try {
      utimesSync(this.#marker(use), now / 1000, now / 1000);
    } catch {
      // Until a restart the memory counts, and after one the blob may have to be put again.
    }
    return true;
  }

  async open(tenant: TenantName, digest: Digest): Promise<OpenBlob | undefined> {
    const stored = this.#blobs.get(blobKey(tenant, digest));
    if (stored === undefined) return undefined;
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    let file: FileHandle;
    try {
      file = await open(join(this.#directory, tenant, digest), flags);
    } catch {
      // Somebody took the file away behind the layer; it can be put again.
      return undefined;
    }
    const { bytes } = stored;
    return { bytes, chunks: () => chunksOf(file, bytes + 1), close: () => file.close() };
  }

  // ------------------------------------------------------ away

  async expire(inUse: readonly BlobUse[]): Promise<number> {
    const uses = [...this.#inUse, ...inUse];
    for (const use of new Map(
      uses.map((each) => [`${blobKey(each.tenant, each.digest)} ${each.agent}`, each]),
    ).values()) {
      this.keep(use);
    }
    this.#inUse = inUse;
    const before = this.#clock.now() - this.#limits.keepMs;
    const gone: string[] = [];
    for (const stored of this.#blobs.values()) {
      const { tenant, digest, bytes, usedAt } = stored;
      for (const [agent, at] of usedAt) {
        if (at > before) continue;
        usedAt.delete(agent);
        this.#quota.add(agentKey({ tenant, agent }), -counted(bytes));
        rmSync(this.#marker({ tenant, agent, digest }), REMOVE);
      }
      if (usedAt.size === 0) gone.push(this.#forget(stored));
    }
    await Promise.all(gone.map((path) => rm(path, REMOVE)));
    return gone.length;
  }

  /** Takes the name away at once, so that the same bytes can be put again while the file is removed. */
  #forget({ tenant, digest, bytes }: StoredBlob): string {
    this.#blobs.delete(blobKey(tenant, digest));
    this.#quota.addTotal(-counted(bytes));
    const path = join(this.#directory, `${GONE}${randomBytes(12).toString('hex')}`);
    try {
      renameSync(join(this.#directory, tenant, digest), path);
    } catch {
      // It was gone before.
    }
    return path;
  }

  // ------------------------------------------------------ at the start

  #load(tenant: TenantName): void {
    const folder = join(this.#directory, tenant);
    const now = this.#clock.now();
    const stored = new Map<string, StoredBlob>();
    // In order, so that bytes come before the agents that have them.
    for (const name of readdirSync(folder).toSorted()) {
      const path = join(folder, name);
      const { digest, agent } = nameOf(name);
      const status = lstatSync(path, { throwIfNoEntry: false });
      const blob = digest === undefined ? undefined : stored.get(digest);
      if (digest === undefined || status?.isFile() !== true) rmSync(path, REMOVE);
      else if (agent === undefined) {
        stored.set(digest, { tenant, digest, bytes: status.size, usedAt: new Map() });
      } else if (blob === undefined) rmSync(path, REMOVE);
      // A clock that once ran ahead keeps nothing longer.
      else blob.usedAt.set(agent, Math.min(status.mtimeMs, now));
    }
    for (const blob of stored.values()) {
      if (blob.usedAt.size === 0) {
        rmSync(join(folder, blob.digest), REMOVE);
        continue;
      }
      this.#blobs.set(blobKey(tenant, blob.digest), blob);
      this.#count(blob, 1);
    }
  }

  #count({ tenant, bytes, usedAt }: StoredBlob, sign: 1 | -1): void {
    this.#quota.addTotal(sign * counted(bytes));
    for (const agent of usedAt.keys()) {
      this.#quota.add(agentKey({ tenant, agent }), sign * counted(bytes));
    }
  }

  #marker({ tenant, agent, digest }: BlobUse): string {
    return join(this.#directory, tenant, `${digest}.${agent}`);
  }
}

const REMOVE = { recursive: true, force: true } as const;

function blobKey(tenant: TenantName, digest: Digest): string {
  return `${tenant}/${digest}`;
}

function agentKey({ tenant, agent }: Pick<BlobUse, 'tenant' | 'agent'>): string {
  return `${tenant}/${agent}`;
}

function nameOf(name: string): { readonly digest?: Digest; readonly agent?: AgentName } {
  const [, hex = '', of] = /^([0-9a-f]{64})(?:\.(.+))?$/u.exec(name) ?? [];
  const [digest, agent] = [parseDigest(hex), of === undefined ? undefined : parseAgentName(of)];
  if (digest === undefined || (of !== undefined && agent === undefined)) return {};
  return agent === undefined ? { digest } : { digest, agent };
}

function refused(code: BlobRefusalCode): BlobPut {
  return { kind: 'refused', code, message: REFUSALS[code] };
}

const REFUSALS: Readonly<Record<BlobRefusalCode, string>> = {
  blob_too_large: 'the blob is larger than one may be; nothing was kept',
  too_many_uploads: 'too many uploads are under way; nothing was kept',
  blobs_of_agent_full: 'this agent’s blobs take as much room as they may; nothing was kept',
  blobs_full: 'all blobs together take as much room as they may; nothing was kept',
  store_full: 'the disk is full; nothing was kept',
  blob_digest_mismatch: 'the bytes have another digest than the path says; nothing was kept',
};

function isNoRoom(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

async function* chunksOf(file: FileHandle, bytesMax: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytesMax;) {
    const length = Math.min(CHUNK_BYTES, bytesMax - at);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
