import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../errors/error.ts';
import { lockFile } from '../host/file-lock.ts';
import type { ComponentContext } from '../job/component.ts';
import type { StoredPlan } from '../plan/disk-journal.ts';
import { storedPlans } from '../plan/disk-journal.ts';
import { confirm, execute, undo } from '../plan/execute.ts';
import type { Surroundings } from '../plan/execution.ts';
import type { Entry } from '../plan/journal.ts';
import type { Standing } from '../plan/standing.ts';
import { stepKinds } from './kinds.ts';

/** What plans of this host are carried out with. */
export interface Live {
  readonly context: ComponentContext;
  /** Where plans and their journals lie. */
  readonly folder: string;
  /** Who acts. */
  readonly by: string;
  readonly onEntry: (entry: Entry) => void;
}

const actions = { execute, undo, confirm } as const;

/** Executes, undoes or confirms a plan, and records what came of it, step by step. Its component is locked meanwhile. */
export async function carryOut(
  live: Live,
  { plan, hash, journal }: StoredPlan,
  action: keyof typeof actions,
): Promise<Standing> {
  const { context, by, onEntry } = live;
  const { clock, signal } = context;
  const surroundings: Surroundings = { journal, kinds: stepKinds(context), clock, signal, onEntry };
  const standing = await actions[action](plan, surroundings, by);
  const steps = [...standing.steps].map(([key, { state, attempts, ms }]) => ({ key, state, attempts, ms }));
  await context.recording?.record({
    kind: 'restore',
    component: plan.component,
    plan: hash,
    data: { outcome: standing.phase, reason: standing.reason, action, by, steps: steps.slice(0, 400) },
  });
  return standing;
}

/** 'locked' while another process works on the component's live system. */
export function lockComponent(folder: string, component: string): Disposable {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = lockFile(join(folder, `${component}.lock`));
  if (lock === 'held')
    throw new HoldfastError('locked', `another process restores ${component} in place`, {
      next: 'Wait until it has ended; `holdfast plan list` shows how far it is. Nothing was changed.',
    });
  if (lock === 'unknown') throw new HoldfastError('unsupported', 'this system has no locks that end with their holder');
  return lock;
}

const over: readonly Standing['phase'][] = ['undone', 'confirmed'];

/** The plan of a component that is neither confirmed nor undone: at most one. */
export async function openPlanOf(folder: string, component: string): Promise<StoredPlan | undefined> {
  return (await storedPlans(folder)).find(
    ({ plan, standing }) => plan.component === component && !over.includes(standing.phase),
  );
}

/** 'locked' while a plan is replacing what is live: a backup would be of halves. */
export async function assertNotReplaced(folder: string, component: string): Promise<void> {
  const open = await openPlanOf(folder, component);
  if (open === undefined || (open.standing.phase !== 'forward' && open.standing.phase !== 'back')) return;
  if ([...open.standing.steps.values()].every(({ state }) => state === 'waiting')) return;
  throw new HoldfastError('locked', `${component} is just being restored in place`, {
    next: `If nobody is at it any more, go on with it, or say \`holdfast undo ${open.hash.slice(0, 12)}\`. Nothing was changed.`,
  });
}

/** The plan that a prefix of its hash names; the only open one without it. */
export async function planNamed(folder: string, name: string | undefined): Promise<StoredPlan> {
  const plans = await storedPlans(folder);
  const meant = plans.filter(({ hash, standing }) =>
    name === undefined ? !over.includes(standing.phase) : hash.startsWith(name),
  );
  const [found, ...others] = meant;
  if (found !== undefined && others.length === 0) return found;
  const known = (found === undefined ? plans : meant).map(({ hash, plan }) => `${hash.slice(0, 12)} (${plan.title})`);
  const what = found === undefined ? 'there is no such plan' : 'which plan?';
  throw new HoldfastError('usage', `${what} ${known.length === 0 ? 'This host has none' : known.join(', ')}`);
}

/** Approves of a plan as it stands, or says that a step of it was done by hand. */
export async function signOff(
  { context, by }: Pick<Live, 'context' | 'by'>,
  stored: StoredPlan,
  step?: string,
): Promise<void> {
  const { plan, hash, journal, standing } = stored;
  if (over.includes(standing.phase)) throw new HoldfastError('refused', 'the plan is over');
  if (step === undefined && by === plan.by)
    throw new HoldfastError('refused', `${by} made the plan: it takes another person’s approval`);
  if (step !== undefined && !plan.steps.some(({ key, manual }) => key === step && manual !== ''))
    throw new HoldfastError('usage', `the plan has no step ${JSON.stringify(step)} that is done by hand`);
  const timeNs = context.clock.nowNs();
  await journal.append(step === undefined ? { what: 'approved', by, timeNs } : { what: 'ticked', by, step, timeNs });
  await context.recording?.record({ kind: 'approval', component: plan.component, plan: hash, data: { by, step } });
}
