import { HoldfastError } from '../../errors/error.ts';
import type { ComponentContext } from '../../job/component.ts';
import type { MomentAsked } from '../../point/moment.ts';
import { hashOfPlan } from '../../plan/form.ts';
import { storePlan, type StoredPlan } from '../../plan/disk-journal.ts';
import { Ledger } from '../../plan/standing.ts';
import { planInPlace, type PlannedInPlace } from '../../recovery/in-place.ts';
import { goesOver } from '../../recovery/in-place-over.ts';
import { carryOut, lockComponent, openPlanOf } from '../../recovery/live.ts';
import { goesToMoment } from '../../recovery/moment-form.ts';
import { person } from '../actor.ts';
import { namesMoment, type MomentWords } from '../checks/moment-words.ts';
import type { Context } from '../context.ts';
import { plansFolder, showEnd, showEntry, showPlan } from '../plan-view.ts';
import { policyOf } from '../policy-file.ts';
import { showExpected, surroundings } from '../expected-view.ts';
import { showProgress } from '../progress.ts';
import { showAfterwards, showReached, showReplacement } from '../replacement-view.ts';
import { componentsMeant, recordingContext } from './context.ts';
import { momentAt } from './moment.ts';
import { askedBy } from './moment-words.ts';

interface Meant {
  readonly name: string;
  readonly words: MomentWords;
  readonly mode: 'execute' | 'dry-run';
  readonly safety: 'backup first' | 'none';
  readonly way: 'beside' | 'over';
}

/**
 * `restore COMPONENT --in-place`: makes the plan and carries it out, or goes on with the one that is under way. Exit
 * code 1: it was turned back; 6: it waits for a person.
 */
export async function restoreInPlace({ name, words, mode, safety, way }: Meant, context: Context): Promise<number> {
  const { policy } = await policyOf(context);
  const [component = name] = componentsMeant(policy, [name], false);
  const folder = plansFolder(context);
  using _lock = mode === 'dry-run' ? undefined : lockComponent(folder, component);
  using view = showProgress(context, {
    onNote: ({ name: what, data }) => (what === 'replayed' ? showReached(data, context) : undefined),
  });
  await using base = await recordingContext(context, policy, { mode, listener: view.listener });
  const by = person(context);
  const open = await openPlanOf(folder, component);
  const at = momentAt(words.at, policy, context);
  const moment = momentOf(words, base, component, at?.ns);
  if (open !== undefined && mode !== 'dry-run') assertGoesOn(open, moment, way);
  const options = { component, safety, by, mode, moment, way, ...(at === undefined ? {} : { atNs: at.ns }) };
  const planned = open === undefined ? await planInPlace(base, options) : { plan: open.plan, expected: [] };
  const { plan } = planned;
  if (mode === 'dry-run') {
    showPlan(open ?? { plan, hash: hashOfPlan(plan), standing: new Ledger(plan, []) }, context);
    showWhatIsKnown(planned, context);
    showAfterwards(plan, context);
    return 0;
  }
  const stored = open ?? (await storePlan(folder, plan));
  showPlan(stored, context);
  showWhatIsKnown(planned, context);
  const standing = await carryOut({ context: base, folder, by, onEntry: showEntry(context) }, stored, 'execute');
  showEnd(stored, standing, context);
  const isThrough = standing.phase === 'finished' || standing.phase === 'confirmed';
  if (isThrough) showAfterwards(plan, context);
  context.signal.throwIfAborted();
  return isThrough ? 0 : 1;
}

/** A timeline alone means all of it. */
function momentOf(
  words: MomentWords,
  base: ComponentContext,
  component: string,
  atNs: bigint | undefined,
): MomentAsked | undefined {
  if (atNs !== undefined || namesMoment(words)) return askedBy(words, base, component, atNs);
  return words.timeline === undefined ? undefined : askedBy({ ...words, latest: true }, base, component, undefined);
}

function showWhatIsKnown({ replacement, expected }: PlannedInPlace, context: Context): void {
  if (replacement !== undefined) showReplacement(replacement, context);
  if (replacement?.moment === undefined) showExpected(expected, context, surroundings);
}

function assertGoesOn({ plan, hash, standing }: StoredPlan, asked: MomentAsked | undefined, way: Meant['way']): void {
  const short = hash.slice(0, 12);
  if (standing.phase === 'forward' || standing.phase === 'back') {
    const isSameWay = goesOver(plan) === (way === 'over');
    if (isSameWay && (asked === undefined || goesToMoment(plan, asked))) return;
    throw new HoldfastError('refused', `a plan is under way: ${plan.title}`, {
      next: `Go on with it as it was begun, or give it up: \`holdfast undo ${short}\`. Nothing was changed.`,
    });
  }
  throw new HoldfastError('refused', `${plan.title}: that plan waits (${standing.phase})`, {
    next: `Say \`holdfast confirm ${short}\` or \`holdfast undo ${short}\` first. Nothing was changed.`,
  });
}
