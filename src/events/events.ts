/**
 * What an operation tells while it runs. An operation takes one `Listener` and calls it synchronously; a listener
 * must not throw and must not block. Nothing here is a result: the outcome of an operation is its return value.
 */
export type Event = Progress | Warning | Note;

/** Where the work stands. Totals appear once known and may grow. */
export interface Progress {
  readonly kind: 'progress';
  /** What is being done, for people: 'backing up', 'reading packs'. */
  readonly phase: string;
  readonly doneBytes: number;
  readonly totalBytes?: number;
  readonly doneItems: number;
  readonly totalItems?: number;
  /** How long the rest takes, where that is known from elsewhere than from the work done so far. */
  readonly remainingMs?: number;
  /** Names of what is at work just now, a few at most. */
  readonly current?: readonly string[];
}

/** Something the user must know and that the outcome counts: a file that couldn't be read, an attribute not kept. */
export interface Warning {
  readonly kind: 'warning';
  /** What was being done: 'scan', 'archive', 'restore', 'check'. */
  readonly during: string;
  readonly item: string;
  readonly message: string;
}

/** A fact of interest for --verbose: an item handled, a pack removed. `data` is documented where it is sent. */
export interface Note {
  readonly kind: 'note';
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export type Listener = (event: Event) => void;

/** Listens to nothing. */
export const silent: Listener = () => undefined;
