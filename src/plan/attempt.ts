import { withDeadline } from '../flow/abort.ts';
import { codes } from '../errors/codes.ts';
import { HoldfastError, toBeDone } from '../errors/error.ts';
import type { Execution } from './execution.ts';
import type { Entry } from './journal.ts';
import type { Step, StepCall, StepKind } from './plan.ts';

export type Task = (kind: StepKind, call: StepCall) => Promise<void>;

interface Attempting {
  readonly execution: Execution;
  readonly step: Step;
  /** What the journal says before and after. */
  readonly words: { readonly began: Entry['what']; readonly done: Entry['what']; readonly failed: Entry['what'] };
  /** How often it was attempted before, in whichever run. */
  readonly before: number;
  readonly signal: AbortSignal;
}

/** Attempts a step's work as often as it may, each attempt journaled and within its time; throws the last error. */
export async function attemptOften(attempting: Attempting, task: Task): Promise<void> {
  const { step, before, signal, execution } = attempting;
  const last = before + step.retry.attempts;
  for (let attempt = before + 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await attemptOnce(attempting, attempt, task);
    } catch (error) {
      if (!(error instanceof HoldfastError) || signal.aborted || attempt >= last) throw error;
    }
    await execution.clock.sleep(step.retry.pauseMs, signal);
  }
}

async function attemptOnce(attempting: Attempting, attempt: number, task: Task): Promise<void> {
  const { execution, step, words, signal } = attempting;
  const { clock, note } = execution;
  await note({ what: words.began, step: step.key, attempt });
  const startMs = clock.monotonicMs();
  const told = (): Pick<Entry, 'step' | 'attempt' | 'ms'> => ({
    step: step.key,
    attempt,
    ms: Math.round(clock.monotonicMs() - startMs),
  });
  try {
    await call(execution, step, { attempt, signal }, task);
  } catch (error) {
    const reason = reasonFor(error, signal);
    await note({
      what: words.failed,
      ...told(),
      reason: words.failed === 'not undone' ? reason + wayOut(error) : reason,
    });
    throw error;
  }
  await note({ what: words.done, ...told() });
}

/** Calls a step's kind, for at most the step's time. What it began ends before its time is up is told. */
export async function call<T>(
  { kinds, hash, clock }: Pick<Execution, 'kinds' | 'hash' | 'clock'>,
  step: Step,
  { attempt, signal }: Pick<StepCall, 'attempt' | 'signal'>,
  task: (kind: StepKind, call: StepCall) => Promise<T>,
): Promise<T> {
  const { [step.kind]: kind } = kinds;
  if (kind === undefined) throw new HoldfastError('unsupported', `step ${step.key}: ${step.kind} is no known kind`);
  let settled: Promise<unknown> = Promise.resolve();
  const error = (): HoldfastError =>
    new HoldfastError('refused', `step ${step.key} took longer than ${step.timeoutMs} ms`);
  try {
    return await withDeadline({ ms: step.timeoutMs, clock, signal, error }, async (within) => {
      const running = task(kind, { step, hash, attempt, signal: within });
      settled = running.catch(() => undefined); // told by the deadline, or by the task itself
      return await running;
    });
  } finally {
    // Nothing else begins while it may still be at work.
    await settled;
  }
}

/** An undo that fails leaves what was replaced where it is: what to do then is said where its reason is. */
function wayOut(error: unknown): string {
  if (!(error instanceof HoldfastError) || error.next === codes[error.code].next) return '';
  const next = toBeDone(error);
  return next === '' ? '' : `. ${next}`;
}

export function reasonFor(error: unknown, { aborted, reason }: AbortSignal): string {
  const known: unknown = aborted ? reason : error;
  return known instanceof HoldfastError ? known.message : 'a defect of Holdfast';
}
