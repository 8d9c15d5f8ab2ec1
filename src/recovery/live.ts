import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { secondText } from '../clock/date.ts';
import { HoldfastError } from '../errors/error.ts';
import { lockFile } from '../host/file-lock.ts';
import { hostName } from '../host/users.ts';
import type { ComponentContext, NewRecord } from '../job/component.ts';
import { sureNow } from '../job/sure-now.ts';
import type { StoredPlan } from '../plan/disk-journal.ts';
import { clearEndedPlans, storedPlans } from '../plan/disk-journal.ts';
import { confirm, execute, undo } from '../plan/execute.ts';
import type { Surroundings } from '../plan/execution.ts';
import type { Entry } from '../plan/journal.ts';
import { isOver, nameOf, type Standing } from '../plan/standing.ts';
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

/**
 * Executes, undoes or confirms a plan. That it began is recorded, so that other hosts see it at work, and what came of
 * it, step by step. Its component is locked meanwhile.
 */
export async function carryOut(live: Live, stored: StoredPlan, action: keyof typeof actions): Promise<Standing> {
  const { context, by, onEntry } = live;
  const { plan, hash, journal } = stored;
  const { clock, signal } = context;
  const surroundings: Surroundings = { journal, kinds: stepKinds(context), clock, signal, onEntry };
  const record = async (data: NewRecord['data']): Promise<void> =>
    await context.recording?.record({ kind: 'restore', component: plan.component, plan: hash, data });
  await record({ outcome: 'begun', action, by, host: hostName(), title: plan.title });
  let standing: Standing;
  try {
    standing = await actions[action](plan, surroundings, by);
  } catch (error) {
    await record({ ...endedBy(error), action, by });
    throw error;
  }
  const steps = [...standing.steps].map(([key, { state, attempts, ms }]) => ({ key, state, attempts, ms }));
  await record({ outcome: standing.phase, reason: standing.reason, action, by, steps: steps.slice(0, 400) });
  await clearPlans(live);
  return standing;
}

/** What there is to say where a plan ended before its end: an approval is awaited, or nothing could be done. */
function endedBy(error: unknown): NewRecord['data'] {
  if (!(error instanceof HoldfastError))
    return { outcome: 'failed', error: 'internal', message: 'a defect of Holdfast' };
  const { code, message } = error;
  return { outcome: code === 'approval-needed' ? 'waits' : 'failed', error: code, message };
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

const plansKeptNs = 30n * 86_400_000_000_000n;

/** Clears plans from this host that were over long ago: their records tell all. What keeps one is a warning. */
export async function clearPlans({ context, folder }: Pick<Live, 'context' | 'folder'>): Promise<void> {
  try {
    await clearEndedPlans(folder, async ({ component }, endedNs) => {
      const isOld = (nowNs: bigint | undefined): boolean => nowNs !== undefined && endedNs < nowNs - plansKeptNs;
      return isOld(context.clock.nowNs()) && isOld(await sureNow(context, component));
    });
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    context.listener({ kind: 'warning', during: 'plan', item: folder, message: error.message });
  }
}

/** The plan of a component that is neither confirmed nor undone: at most one. */
export async function openPlanOf(folder: string, component: string): Promise<StoredPlan | undefined> {
  return (await storedPlans(folder)).find(({ plan, standing }) => plan.component === component && !isOver(standing));
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
  const meant = plans.filter(({ hash, standing }) => (name === undefined ? !isOver(standing) : hash.startsWith(name)));
  const [found, ...others] = meant;
  if (found !== undefined && others.length === 0) return found;
  throw new HoldfastError('usage', notOnePlan(name, meant, plans.length), {
    next:
      plans.length === 0
        ? 'Only the host that made a plan, by `holdfast restore COMPONENT --in-place`, has it. Nothing was changed.'
        : 'Name one that `holdfast plan list` shows. Nothing was changed.',
  });
}

function notOnePlan(name: string | undefined, meant: readonly StoredPlan[], count: number): string {
  if (meant.length > 0)
    return `which plan? There are ${meant.map(({ hash, plan }) => `${hash.slice(0, 12)} (${plan.title})`).join(', ')}`;
  if (count === 0) return 'there is no plan on this host';
  return name === undefined ? 'no plan of this host is open' : `there is no plan ${JSON.stringify(name)} on this host`;
}

/** Approves of a plan as it stands, or says that a step of it was done by hand. */
export async function signOff(
  { context, by }: Pick<Live, 'context' | 'by'>,
  stored: StoredPlan,
  step?: string,
): Promise<void> {
  const { plan, hash, journal, standing } = stored;
  if (isOver(standing)) throw await over(stored);
  if (step === undefined && by === plan.by)
    throw new HoldfastError('refused', `${by} made the plan: it takes another person’s approval`);
  if (step !== undefined && !plan.steps.some(({ key, manual }) => key === step && manual !== ''))
    throw new HoldfastError('usage', `${nameOf(stored)} has no step ${JSON.stringify(step)} that is done by hand`);
  const timeNs = context.clock.nowNs();
  await journal.append(step === undefined ? { what: 'approved', by, timeNs } : { what: 'ticked', by, step, timeNs });
  await context.recording?.record({ kind: 'approval', component: plan.component, plan: hash, data: { by, step } });
}

/** Which one, and how and when it ended. */
async function over(stored: StoredPlan): Promise<HoldfastError> {
  const { phase, reason } = stored.standing;
  const last = (await stored.journal.entries()).at(-1);
  const when = last === undefined ? '' : ` at ${secondText(last.timeNs)}`;
  const why = reason === '' ? '' : ` (it was turned back: ${reason})`;
  return new HoldfastError('refused', `${nameOf(stored)} is over: it was ${phase}${when}${why}`, {
    next: 'Nothing is left to approve of or to do. Nothing was changed.',
  });
}
