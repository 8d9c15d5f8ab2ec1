import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Replay } from './recovery.ts';

/**
 * Brings a component up in a sandbox from what was restored of it, and asks it whether it is right. Nothing here ever
 * meets the live system.
 *
 * A step blames the copy only where nothing else can be blamed:
 *
 * - 'failed' — a program that was given the copy ran to its end, within its limits, and said no: an exit code between 1
 *   and 128 other than those below. It accuses the copy.
 * - 'not run' — nothing is known of the copy: no sandbox, a program that isn't there (126, 127), one that was killed
 *   or went beyond a limit, one that says that it lacks something itself (75, EX_TEMPFAIL), or whatever befell a step
 *   that never saw the copy, as starting the service does; and every step after one that has not passed.
 * - 'left out' — it can't be asked of a component such as this, or by a server such as this one, however the copy is:
 *   pages that have no checksums, an extension that isn't installed. It is told, and neither proves nor accuses.
 */
export interface Rehearsal {
  /** What commands find in HOLDFAST_DIR. */
  readonly folder: 'empty' | 'restored';
  /** Where the programs are that what was restored takes: the sandbox has to show them. */
  readonly programs?: (restored: string, signal: AbortSignal) => Promise<readonly string[]>;
  /**
   * In their order. `restored` is the folder to which the component was restored. With `replay`, of a component that has a
   * RecoveryDriver, it is brought to that moment first, by a log that is handed in from outside; a step says where it is.
   */
  bringUp(sandbox: Sandbox, restored: string, signal: AbortSignal, replay?: Omit<Replay, 'folder'>): Promise<BroughtUp>;
  /** Asks the component's own question, where it has one. */
  ask(sandbox: Sandbox, brought: BroughtUp, depth: Depth): Promise<readonly RehearsedStep[]>;
}

/** How much of what came up is looked at. */
export interface Depth {
  readonly of: 'all' | 'sample';
  /** So many tables, at random, are read value by value; undefined: none. */
  readonly tables: number | undefined;
  /** 0 up to 1. */
  readonly random: () => number;
}

export interface BroughtUp {
  readonly steps: readonly RehearsedStep[];
  /** What the started service told of itself; for whatever asks it. */
  readonly env: Readonly<Record<string, string>>;
  /** Asks what was brought up, where it is a database. */
  readonly answer?: (question: Question) => Promise<QueryAnswer>;
}

/** `database`: one of several that a component has; undefined: the one that its address leads to, for counts each. */
export type Question = { readonly database: string | undefined } & (
  | { readonly kind: 'sql'; readonly text: string }
  /** How many rows of a table refer by a column to what is not there; names are as SQL takes them. */
  | { readonly kind: 'orphans'; readonly table: string; readonly column: string; readonly references: string }
  /** Whether tables have as many rows as the backup recorded, within so many per cent. */
  | { readonly kind: 'counts'; readonly tolerance: number }
);

export type QueryAnswer =
  | { readonly kind: 'value'; readonly text: string }
  /** Neither a number nor a text, whatever is expected. */
  | { readonly kind: 'nothing'; readonly what: 'NULL' | 'no row' }
  /** It knew itself what to expect. */
  | {
      readonly kind: 'judged';
      readonly state: 'passed' | 'failed';
      readonly expected: string;
      readonly found: string;
    }
  /** It was asked, and said no, by which it accuses the copy. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** It could not be asked, or the question is at fault: nothing is known of the copy. */
  | { readonly kind: 'lacking'; readonly reason: string };

export interface RehearsedStep {
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'not run' | 'left out';
  /** For people. */
  readonly expected: string;
  /** What came, or why it did not run. */
  readonly found: string;
}
