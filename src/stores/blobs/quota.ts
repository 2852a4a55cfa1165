/**
 * What is taken of the room for blobs: by what lies there, and by what is on its way. An answer depends
 * only on what the agent itself put and on how full everything is, never on whether another agent has
 * put the same bytes.
 */
import type { BlobRefusalCode } from '../../engine/ports.ts';
import { BYTES_COUNTED_MIN, type BlobLimits } from './limits.ts';

/** The part of an upload's room that grows with it. Given back by {@link BlobQuota.leave}. */
export interface Reservation {
  readonly agent: string;
  /** Whether the agent has these bytes already, so that they take no more room. */
  readonly isOwn: boolean;
  /** Bytes reserved so far. */
  counted: number;
}

/** How much a blob of this size takes. */
export function counted(bytes: number): number {
  return Math.max(bytes, BYTES_COUNTED_MIN);
}

/** The room of one store. Agents are named with their tenant. */
export class BlobQuota {
  readonly #limits: BlobLimits;
  readonly #ofAgents = new Map<string, number>();
  readonly #uploads = new Map<string, number>();
  #uploadsCount = 0;
  #total = 0;

  constructor(limits: BlobLimits) {
    this.#limits = limits;
  }

  /** A place to upload, or why there is none. */
  enter(agent: string, isOwn: boolean): Reservation | BlobRefusalCode {
    const { uploadsMax, uploadsPerAgentMax } = this.#limits;
    const mine = this.#uploads.get(agent) ?? 0;
    if (this.#uploadsCount >= uploadsMax || mine >= uploadsPerAgentMax) return 'too_many_uploads';
    this.#uploads.set(agent, mine + 1);
    this.#uploadsCount += 1;
    return { agent, isOwn, counted: 0 };
  }

  /** Makes the reservation large enough for so many bytes, or says why it cannot be. */
  grow(reservation: Reservation, bytes: number): BlobRefusalCode | undefined {
    const { bytesMax, bytesTotalMax, bytesPerAgentMax } = this.#limits;
    if (bytes > bytesMax) return 'blob_too_large';
    if (reservation.isOwn) return undefined;
    const more = counted(bytes) - reservation.counted;
    if (more <= 0) return undefined;
    if (this.usedBy(reservation.agent) + more > bytesPerAgentMax) return 'blobs_of_agent_full';
    if (this.#total + more > bytesTotalMax) return 'blobs_full';
    this.add(reservation.agent, more);
    this.addTotal(more);
    reservation.counted += more;
    return undefined;
  }

  /** Gives place and reservation back; what was stored is counted by then. */
  leave({ agent, counted: reserved }: Reservation): void {
    this.add(agent, -reserved);
    this.addTotal(-reserved);
    this.#uploadsCount -= 1;
    const mine = (this.#uploads.get(agent) ?? 1) - 1;
    if (mine > 0) this.#uploads.set(agent, mine);
    else this.#uploads.delete(agent);
  }

  /** Counts what an agent has stored, or has no longer. */
  add(agent: string, bytes: number): void {
    const used = this.usedBy(agent) + bytes;
    if (used > 0) this.#ofAgents.set(agent, used);
    else this.#ofAgents.delete(agent);
  }

  /** Counts a file that is stored, or is no longer. */
  addTotal(bytes: number): void {
    this.#total += bytes;
  }

  usedBy(agent: string): number {
    return this.#ofAgents.get(agent) ?? 0;
  }
}
