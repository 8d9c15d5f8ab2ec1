import type { Clock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Entry, Journal } from './journal.ts';
import { hashOfPlan } from './form.ts';
import type { Plan, StepKinds } from './plan.ts';
import { Ledger, type Standing } from './standing.ts';

/** What a plan is executed with. */
export interface Surroundings {
  readonly journal: Journal;
  readonly kinds: StepKinds;
  readonly clock: Clock;
  /** Aborted, the plan is turned back, or stays where it is behind what nothing takes back. */
  readonly signal: AbortSignal;
  /** Told of each entry once it is durable. */
  readonly onEntry: (entry: Entry) => void;
}

/** A plan at work. */
export interface Execution extends Surroundings {
  readonly plan: Plan;
  readonly hash: string;
  readonly standing: Standing;
  readonly note: (entry: Omit<Entry, 'timeNs'>) => Promise<void>;
}

/** Throws where something that the plan works on can't be seen: nobody knows then how far it came, and what it would do is for another place. */
export function assertThere({ plan, kinds }: Pick<Execution, 'plan' | 'kinds'>): void {
  for (const step of plan.steps) kinds[step.kind]?.assertThere?.(step);
}

/** Whether something was done that nothing takes back; as of `assertThere`. */
export async function isPastReturn(execution: Execution): Promise<boolean> {
  const { plan, standing, kinds, hash } = execution;
  assertThere(execution);
  for (const step of plan.steps.filter(({ undo }) => undo === 'impossible')) {
    const { state = 'waiting', attempts = 0 } = standing.steps.get(step.key) ?? {};
    if (state === 'done') return true;
    if (state !== 'begun') continue;
    const { signal } = new AbortController();
    const isPast = await kinds[step.kind]?.isPastReturn?.({ step, hash, attempt: attempts, signal });
    if (isPast !== false) return true;
  }
  return false;
}

/** 'unsupported' where a step is of a kind that isn't in the table, or can't be undone although the plan counts on it. */
export async function executionOf(plan: Plan, surroundings: Surroundings): Promise<Execution> {
  const { journal, kinds, clock, onEntry } = surroundings;
  for (const { key, kind, undo } of plan.steps) {
    if (kinds[kind] === undefined || (undo.startsWith('in ') && kinds[kind].undo === undefined))
      throw new HoldfastError('unsupported', `step ${key}: this version can’t do, or not undo, ${kind}`);
  }
  const standing = new Ledger(plan, await journal.entries());
  return {
    ...surroundings,
    plan,
    hash: hashOfPlan(plan),
    standing,
    note: async (entry) => {
      const whole = { ...entry, timeNs: clock.nowNs() };
      await journal.append(whole);
      standing.add(whole);
      onEntry(whole);
    },
  };
}
