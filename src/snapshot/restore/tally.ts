import { displayPath, type RawPath } from '../../bytes/ids.ts';
import type { Listener } from '../../events/events.ts';
import type { RestoreOutcome } from '../restore.ts';

export type Action = 'restored' | 'updated' | 'unchanged' | 'deleted';

/** The phase of its progress. */
export const restorePhase = 'restoring';

/** Counts what a restore does, and tells it. */
export class Tally {
  readonly #listener: Listener;
  readonly #signal: AbortSignal;
  readonly #onFailure: (location: RawPath, error: unknown) => void;
  readonly #counts = {
    totalItems: 0,
    restoredItems: 0,
    skippedItems: 0,
    deletedItems: 0,
    totalBytes: 0,
    restoredBytes: 0,
    skippedBytes: 0,
    failures: 0,
  };
  readonly #notPreserved = new Map<string, number>();

  /** Calls `onFailure` with each before it is told: whoever it is may abort `signal`, so that it isn't. */
  constructor(listener: Listener, signal: AbortSignal, onFailure: (location: RawPath, error: unknown) => void) {
    this.#listener = listener;
    this.#signal = signal;
    this.#onFailure = onFailure;
  }

  get outcome(): RestoreOutcome {
    return { ...this.#counts, notPreserved: this.#notPreserved };
  }

  found(sizeBytes: number): void {
    this.#counts.totalItems++;
    this.#counts.totalBytes += sizeBytes;
  }

  wrote(bytes: number): void {
    this.#counts.restoredBytes += bytes;
    this.#progress();
  }

  done(action: Action, location: RawPath, sizeBytes: number): void {
    if (action === 'deleted') this.#counts.deletedItems++;
    else if (action === 'unchanged') this.#skip(sizeBytes);
    else this.#counts.restoredItems++;
    this.#listener({ kind: 'note', name: action, data: { item: displayPath(location), sizeBytes } });
    this.#progress();
  }

  /** Of what an abort cuts off nothing is told: it ends the restore as a whole, with its own reason. */
  failed(location: RawPath, error: unknown): void {
    this.#counts.failures++;
    if (!this.#signal.aborted) this.#onFailure(location, error);
    if (this.#signal.aborted) return;
    const message = error instanceof Error ? error.message : String(error);
    this.#listener({ kind: 'warning', during: 'restore', item: displayPath(location), message });
  }

  lost(what: string): void {
    this.#notPreserved.set(what, (this.#notPreserved.get(what) ?? 0) + 1);
  }

  #skip(sizeBytes: number): void {
    this.#counts.skippedItems++;
    this.#counts.skippedBytes += sizeBytes;
  }

  #progress(): void {
    const { restoredBytes, skippedBytes, restoredItems, skippedItems, totalBytes, totalItems } = this.#counts;
    const doneBytes = restoredBytes + skippedBytes;
    const doneItems = restoredItems + skippedItems;
    this.#listener({ kind: 'progress', phase: restorePhase, doneBytes, totalBytes, doneItems, totalItems });
  }
}
