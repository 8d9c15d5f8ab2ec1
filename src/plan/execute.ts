import { HoldfastError, hasCode, toBeDone } from '../errors/error.ts';
import { attemptOften, call, reasonFor } from './attempt.ts';
import { assertThere, executionOf, isPastReturn, type Execution, type Surroundings } from './execution.ts';
import type { Plan, Step } from './plan.ts';
import { nameOf, standsAt, type Standing, type StepStanding } from './standing.ts';

/**
 * Executes a plan from wherever its journal says that it stands, and resolves with how it ended. 'approval-needed' when
 * it waits for a person; then, and after a kill, it is executed again and goes on. What fails in it turns it back, and
 * is in the outcome's reason; a defect of ours does so too, and is thrown once all is undone. What fails behind a step
 * that nothing takes back is thrown, and the plan stays where it is; so it does where what it works on can't be seen.
 */
export async function execute(plan: Plan, surroundings: Surroundings): Promise<Standing> {
  const execution = await executionOf(plan, surroundings);
  const { phase } = execution.standing;
  const defects = phase === 'forward' ? await forward(execution) : [];
  if (execution.standing.phase === 'back') defects.push(...(await back(execution)));
  if (execution.standing.phase === 'confirming') await confirmSteps(execution);
  const [defect] = defects;
  if (defect !== undefined) throw defect;
  return execution.standing;
}

/** Turns a plan back that is under way, or undoes one that succeeded and was not confirmed; else gives it up. */
export async function undo(plan: Plan, surroundings: Surroundings, by: string): Promise<Standing> {
  const execution = await executionOf(plan, surroundings);
  const { phase } = execution.standing;
  if (phase === 'confirming' || phase === 'confirmed')
    throw new HoldfastError('refused', `${nameOf(execution)} was confirmed: what it replaced is gone`);
  if (phase === 'undone' || phase === 'given up') return execution.standing;
  assertThere(execution);
  if (phase === 'forward' && (await isPastReturn(execution))) await execution.note({ what: 'given up', by });
  else if (phase !== 'back') await execution.note({ what: 'turned back', by, reason: `undone by ${by}` });
  return await execute(plan, surroundings);
}

/** Gives up what a plan that succeeded keeps of what it replaced. */
export async function confirm(plan: Plan, surroundings: Surroundings, by: string): Promise<Standing> {
  const execution = await executionOf(plan, surroundings);
  const { phase } = execution.standing;
  if (phase === 'finished') await execution.note({ what: 'asked to confirm', by });
  else if (phase !== 'confirming' && phase !== 'confirmed')
    throw new HoldfastError('refused', `${nameOf(execution)} has not succeeded: ${standsAt(execution.standing)}`);
  return await execute(plan, surroundings);
}

/** Resolves with what is no error that anybody foresaw. */
async function forward(execution: Execution): Promise<Error[]> {
  const { plan, note, signal } = execution;
  try {
    for (const step of plan.steps) await goOn(execution, step);
    await note({ what: (await isPastReturn(execution)) ? 'asked to confirm' : 'finished' });
    return [];
  } catch (error) {
    if (await isPastReturn(execution)) throw halfDone(error);
    if (hasCode(error, 'approval-needed') && !signal.aborted) throw error;
    await note({ what: 'turned back', reason: reasonFor(error, signal) });
    return signal.aborted ? [] : defectsIn([error]);
  }
}

/** What was there is no longer, and what is to be there isn't yet. */
function halfDone(error: unknown): unknown {
  if (!(error instanceof HoldfastError)) return error;
  const half = 'The plan is half done, and nothing takes that back: run the same command again.';
  const next = `${half} ${toBeDone(error)}`.trimEnd();
  return new HoldfastError(error.code, error.message, { cause: error, next });
}

async function goOn(execution: Execution, step: Step): Promise<void> {
  const own = ofStep(execution.standing, step);
  if (own.state === 'done' || own.state === 'was so') return;
  assertThere(execution);
  assertAllowed(execution, step);
  if (step.manual !== '') return await execution.note({ what: 'done', step: step.key });
  const asked = await call(execution, step, { attempt: own.attempts + 1, signal: execution.signal }, (kind, one) =>
    kind.isDone(one),
  );
  if (asked === 'done')
    return await execution.note({ what: own.attempts === 0 ? 'was so' : 'found done', step: step.key });
  const words = { began: 'began', done: 'done', failed: 'failed' } as const;
  await attemptOften({ execution, step, words, before: own.attempts, signal: execution.signal }, async (kind, one) => {
    await kind.run(one);
    if ((await kind.isDone(one)) === 'not done')
      throw new HoldfastError('refused', `step ${step.key} ran without an error, and is not done`);
  });
}

function assertAllowed({ plan, hash, standing: { approvals, steps } }: Execution, step: Step): void {
  if (step.approval === 'another person' && !approvals.some(({ by }) => by !== plan.by))
    throw new HoldfastError('approval-needed', `step ${step.key} waits for another person’s approval of the plan`, {
      next: `Somebody other than ${plan.by} says \`holdfast approve ${hash.slice(0, 12)}\`; then run the command again.`,
    });
  if (step.manual !== '' && steps.get(step.key)?.tick === undefined)
    throw new HoldfastError('approval-needed', `step ${step.key} is done by hand: ${step.manual}`, {
      next: `When it is done, say \`holdfast plan tick ${hash.slice(0, 12)} ${step.key}\`; then run the command again.`,
    });
}

/** Nothing stops it, but what can't be undone: then only what must be undone in any case still is. */
async function back(execution: Execution): Promise<readonly Error[]> {
  const never = new AbortController().signal;
  const failures: unknown[] = [];
  for (const step of execution.plan.steps.toReversed()) {
    const own = ofStep(execution.standing, step);
    if (
      step.undo === 'no' ||
      step.undo === 'impossible' ||
      !['begun', 'done', 'not undone'].includes(own.state) ||
      step.manual !== ''
    )
      continue;
    if (failures.length > 0 && step.undo !== 'in any case') continue;
    assertThere(execution);
    const words = { began: 'began to undo', done: 'undone', failed: 'not undone' } as const;
    try {
      await attemptOften({ execution, step, words, before: own.undoAttempts, signal: never }, async (kind, one) => {
        await kind.undo?.(one);
      });
    } catch (error) {
      assertThere(execution);
      failures.push(error);
    }
  }
  await execution.note({ what: failures.length === 0 ? 'undid all' : 'undid in part' });
  return defectsIn(failures);
}

function defectsIn(failures: readonly unknown[]): Error[] {
  return failures.filter((one) => one instanceof Error).filter((one) => !(one instanceof HoldfastError));
}

async function confirmSteps(execution: Execution): Promise<void> {
  const { plan, signal, note } = execution;
  for (const step of plan.steps) {
    const own = ofStep(execution.standing, step);
    if (own.state !== 'done' || own.isConfirmed) continue;
    await call(execution, step, { attempt: own.attempts, signal }, async (kind, one) => await kind.confirm?.(one));
    await note({ what: 'confirmed step', step: step.key });
  }
  await note({ what: 'confirmed' });
}

function ofStep({ steps }: Standing, { key }: Step): StepStanding {
  const own = steps.get(key);
  if (own === undefined) throw new HoldfastError('internal', `the plan has no step ${key}`);
  return own;
}
