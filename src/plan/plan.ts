import type { Fields } from '../bytes/fields.ts';

/**
 * What is to be done to a live system, as a value: printed, hashed, approved and then executed as it stands. The hash of
 * its canonical JSON is its identity, so what was approved is what runs. A plan holds references to secrets, never a
 * secret, and at most 1,000 steps.
 *
 * A step is data; what it does is its kind's business. The executor knows no kind, no clock and no environment but those
 * handed in. It keeps a journal, and goes on from there after a kill at any moment: a step that was begun is asked first
 * whether it is done. A plan that fails or is cancelled is turned back: its steps are undone in reverse order. A plan
 * that succeeded keeps what it replaced until it is confirmed, and can be undone until then. One that began a step that
 * nothing takes back is never turned back, unless the step’s kind knows that it has changed nothing yet: what fails is thrown, it goes on when it is executed again, and it is confirmed
 * when it is through. A person can give it up, which changes nothing.
 */
export interface Plan {
  readonly version: 1;
  /** For people: what it is to reach. */
  readonly title: string;
  /** Whose live system it changes. */
  readonly component: string;
  /** When it was made (ISO 8601): the same wish on another day is another plan. */
  readonly made: string;
  /** Who made it; nobody approves of a plan of their own. */
  readonly by: string;
  readonly steps: readonly Step[];
}

export interface Step {
  /** `[a-z0-9-]`, at most 63; once in a plan. */
  readonly key: string;
  readonly kind: string;
  /** The host that it runs on. */
  readonly where: string;
  /** At most 64 KiB as JSON; no secrets. */
  readonly arguments: Fields;
  /**
   * 'in any case': also after another step could not be undone, so that what was stopped runs again. 'impossible': once
   * it has changed anything nothing of the plan is.
   */
  readonly undo: 'no' | 'in order' | 'in any case' | 'impossible';
  readonly timeoutMs: number;
  readonly retry: { readonly attempts: number; readonly pauseMs: number };
  readonly approval: 'none' | 'another person';
  /** What a person does by hand and then ticks; '' where the program does it. */
  readonly manual: string;
}

/**
 * What steps of one kind do. Each is idempotent: after a kill it is called again, with what it left half done. It ends
 * soon once its signal is aborted.
 */
export interface StepKind {
  /**
   * Asked of all steps before any is done, undone or taken for past return: throws where what it works on can't be seen,
   * as a disk that isn't mounted. Then nothing is done, and the plan stays where it is.
   */
  assertThere?(step: Step): void;
  /** 'unknown' where the kind can't tell: then a run that succeeded counts, and after a kill it runs again. */
  isDone(call: StepCall): Promise<'done' | 'not done' | 'unknown'>;
  run(call: StepCall): Promise<void>;
  /** Takes it back, whether it was done, in part, or not at all. */
  undo?(call: StepCall): Promise<void>;
  /** Of a step whose undo is 'impossible' and that was begun: whether anything was done yet; without it, as if so. */
  isPastReturn?(call: StepCall): Promise<boolean>;
  /** Gives up what was kept for an undo. */
  confirm?(call: StepCall): Promise<void>;
}

export type StepKinds = Readonly<Record<string, StepKind>>;

export interface StepCall {
  readonly step: Step;
  /** The plan's. */
  readonly hash: string;
  /** From 1. */
  readonly attempt: number;
  readonly signal: AbortSignal;
}

export const mostSteps = 1000;
export const mostArgumentBytes = 64 * 1024;
