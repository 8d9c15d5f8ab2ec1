import { HoldfastError } from '../../errors/error.ts';
import { hashOfPlan } from '../../plan/form.ts';
import { storePlan, type StoredPlan } from '../../plan/disk-journal.ts';
import { Ledger } from '../../plan/standing.ts';
import { planInPlace } from '../../recovery/in-place.ts';
import { carryOut, lockComponent, openPlanOf } from '../../recovery/live.ts';
import { person } from '../actor.ts';
import type { Context } from '../context.ts';
import { plansFolder, showEnd, showEntry, showPlan } from '../plan-view.ts';
import { policyOf } from '../policy-file.ts';
import { showExpected } from '../expected-view.ts';
import { showProgress } from '../progress.ts';
import { componentsMeant, recordingContext } from './context.ts';
import { momentAt } from './moment.ts';

interface Meant {
  readonly name: string;
  readonly at: string | undefined;
  readonly mode: 'execute' | 'dry-run';
  readonly safety: 'backup first' | 'none';
}

/**
 * `restore COMPONENT --in-place`: makes the plan and carries it out, or goes on with the one that is under way. Exit
 * code 1: it was turned back; 6: it waits for a person.
 */
export async function restoreInPlace({ name, at, mode, safety }: Meant, context: Context): Promise<number> {
  const { policy } = await policyOf(context);
  const [component = name] = componentsMeant(policy, [name], false);
  const folder = plansFolder(context);
  using _lock = mode === 'dry-run' ? undefined : lockComponent(folder, component);
  using view = showProgress(context);
  await using base = await recordingContext(context, policy, { mode, listener: view.listener });
  const by = person(context);
  const open = await openPlanOf(folder, component);
  if (open !== undefined && mode !== 'dry-run') assertGoesOn(open, at);
  const moment = momentAt(at, policy, context);
  const options = { component, safety, by, ...(moment === undefined ? {} : { atNs: moment.ns }) };
  const planned = open === undefined ? await planInPlace(base, options) : { plan: open.plan, expected: [] };
  const { plan, expected } = planned;
  if (mode === 'dry-run') {
    showPlan(open ?? { plan, hash: hashOfPlan(plan), standing: new Ledger(plan, []) }, context);
    showExpected(expected, context);
    return 0;
  }
  const stored = open ?? (await storePlan(folder, plan));
  showPlan(stored, context);
  showExpected(expected, context);
  const standing = await carryOut({ context: base, folder, by, onEntry: showEntry(context) }, stored, 'execute');
  showEnd(stored, standing, context);
  context.signal.throwIfAborted();
  return standing.phase === 'finished' ? 0 : 1;
}

function assertGoesOn({ plan, hash, standing }: StoredPlan, at: string | undefined): void {
  const short = hash.slice(0, 12);
  if (standing.phase === 'forward' || standing.phase === 'back') {
    if (at === undefined) return;
    throw new HoldfastError('refused', `a plan is under way: ${plan.title}`, {
      next: `Go on with it without --at, or give it up: \`holdfast undo ${short}\`. Nothing was changed.`,
    });
  }
  throw new HoldfastError('refused', `${plan.title}: that plan waits (${standing.phase})`, {
    next: `Say \`holdfast confirm ${short}\` or \`holdfast undo ${short}\` first. Nothing was changed.`,
  });
}
