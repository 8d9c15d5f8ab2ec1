import type { StoredBytes } from './protocol.ts';

/** What became of one content. */
export type ContentOutcome =
  | { readonly kind: 'stored'; readonly stored: StoredBytes }
  /** Too large for one request by now: it is to be stored range by range. What was stored so far is. */
  | { readonly kind: 'large'; readonly stored: StoredBytes }
  | { readonly kind: 'failed'; readonly reason: string };

/** Outcomes as they go from thread to thread: a message of few large values takes a fraction of one of many small. */
export interface OutcomeColumns {
  /** Of all contents, one after the other. */
  readonly ids: readonly string[];
  /** For each content: how many IDs are its own, bytes, new blobs, their plaintext and their stored bytes. */
  readonly figures: Float64Array;
  /** The contents that were not simply stored. */
  readonly exceptions: ReadonlyMap<number, 'large' | { readonly reason: string }>;
}

const figuresPerContent = 5;
const nothing: StoredBytes = { ids: [], sizeBytes: 0, newBlobs: 0, newBytes: 0, storedBytes: 0 };

export function toColumns(outcomes: readonly ContentOutcome[]): OutcomeColumns {
  const figures = new Float64Array(outcomes.length * figuresPerContent);
  const exceptions = new Map<number, 'large' | { readonly reason: string }>();
  const ids: string[] = [];
  for (const [number, outcome] of outcomes.entries()) {
    if (outcome.kind === 'failed') exceptions.set(number, { reason: outcome.reason });
    if (outcome.kind === 'large') exceptions.set(number, outcome.kind);
    const stored = outcome.kind === 'failed' ? nothing : outcome.stored;
    const { sizeBytes, newBlobs, newBytes, storedBytes } = stored;
    figures.set([stored.ids.length, sizeBytes, newBlobs, newBytes, storedBytes], number * figuresPerContent);
    for (const id of stored.ids) ids.push(id);
  }
  return { ids, figures, exceptions };
}

export function* fromColumns({ ids, figures, exceptions }: OutcomeColumns): Generator<ContentOutcome> {
  let id = 0;
  for (let number = 0; number < figures.length / figuresPerContent; number += 1) {
    const at = number * figuresPerContent;
    const end = id + (figures[at] ?? 0);
    const stored = {
      ids: ids.slice(id, end),
      sizeBytes: figures[at + 1] ?? 0,
      newBlobs: figures[at + 2] ?? 0,
      newBytes: figures[at + 3] ?? 0,
      storedBytes: figures[at + 4] ?? 0,
    };
    id = end;
    const exception = exceptions.get(number);
    if (exception === undefined || exception === 'large') yield { kind: exception ?? 'stored', stored };
    else yield { kind: 'failed', reason: exception.reason };
  }
}
