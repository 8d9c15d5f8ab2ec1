import type { Sandbox } from '../sandbox/sandbox.ts';

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
  /** In their order. `restored` is the folder to which the component was restored. */
  bringUp(sandbox: Sandbox, restored: string, signal: AbortSignal): Promise<BroughtUp>;
  /** Asks the component's own question, where it has one. */
  ask(sandbox: Sandbox, brought: BroughtUp): Promise<readonly RehearsedStep[]>;
}

export interface BroughtUp {
  readonly steps: readonly RehearsedStep[];
  /** What the started service told of itself; for whatever asks it. */
  readonly env: Readonly<Record<string, string>>;
  /** Asks what was brought up for one value, where it speaks SQL. */
  readonly query?: (sql: string) => Promise<QueryAnswer>;
}

export type QueryAnswer =
  | { readonly kind: 'value'; readonly text: string }
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
