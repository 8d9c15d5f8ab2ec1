import { storedPlans, type StoredPlan } from '../../plan/disk-journal.ts';
import { carryOut, lockComponent, planNamed, signOff } from '../../recovery/live.ts';
import type { Run } from '../command.ts';
import type { planOptions } from '../commands/plans.ts';
import { recordingContext, type OpenContext } from '../components/context.ts';
import { person } from '../actor.ts';
import type { Context } from '../context.ts';
import { formatTime, plural } from '../format.ts';
import { plansFolder, showEntry, showEnd, showPlan } from '../plan-view.ts';
import { policyOf } from '../policy-file.ts';
import { tableLines } from '../table.ts';

/** Exit code 1: something could not be confirmed, or not be undone. */
export const confirm: Run<typeof planOptions> = async ({ operands }, context) =>
  await act('confirm', operands[0], context);
export const undo: Run<typeof planOptions> = async ({ operands }, context) => await act('undo', operands[0], context);

async function act(action: 'confirm' | 'undo', name: string | undefined, context: Context): Promise<number> {
  return await withPlan(name, context, async (stored, base) => {
    const live = { context: base, folder: plansFolder(context), by: person(context), onEntry: showEntry(context) };
    const standing = await carryOut(live, stored, action);
    showEnd(stored, standing, context);
    const wanted: readonly string[] = action === 'confirm' ? ['confirmed'] : ['undone', 'given up'];
    return wanted.includes(standing.phase) ? 0 : 1;
  });
}

export const approve: Run<typeof planOptions> = async ({ operands }, context) =>
  await sign(operands[0], undefined, context);
export const tick: Run<typeof planOptions> = async ({ operands }, context) =>
  await sign(operands[0], operands[1], context);

async function sign(name: string | undefined, step: string | undefined, context: Context): Promise<number> {
  return await withPlan(name, context, async (stored, base) => {
    const [by, action] = [person(context), step === undefined ? 'approved' : 'ticked'];
    await signOff({ context: base, by }, stored, step);
    const record = { message_type: 'plan_signed', hash: stored.hash, action, step, by };
    if (context.console.form === 'json') context.console.record(record);
    context.console.say(`${step === undefined ? 'approved' : `${step}: done`} by ${by}`);
    return 0;
  });
}

/** Works on a plan while nobody else works on its component; what stands in its journal by then counts. */
async function withPlan(
  name: string | undefined,
  context: Context,
  work: (stored: StoredPlan, base: OpenContext) => Promise<number>,
): Promise<number> {
  const { policy } = await policyOf(context);
  const folder = plansFolder(context);
  const { plan } = await planNamed(folder, name);
  using _lock = lockComponent(folder, plan.component);
  const stored = await planNamed(folder, name);
  await using base = await recordingContext(context, policy, { mode: 'execute', listener: context.listener });
  return await work(stored, base);
}

export const show: Run<typeof planOptions> = async ({ operands }, context) => {
  showPlan(await planNamed(plansFolder(context), operands[0]), context);
  return 0;
};

export const list: Run<typeof planOptions> = async (_invocation, context) => {
  const plans = await storedPlans(plansFolder(context));
  const { console } = context;
  if (console.form === 'json') console.record(plans.map(briefly));
  else
    for (const line of tableLines({
      header: ['Plan', 'Made', 'By', 'What', 'Stands'],
      rows: plans.map((one) => {
        const { plan, hash, standing } = one;
        const made = formatTime(Temporal.Instant.from(plan.made).epochNanoseconds);
        return [hash.slice(0, 12), made, plan.by, plan.title, standing.phase];
      }),
      footer: plural(plans.length, 'plan'),
    }))
      console.say(line, 0);
  return 0;
};

function briefly({ plan, hash, standing }: StoredPlan): unknown {
  return { hash, title: plan.title, component: plan.component, made: plan.made, by: plan.by, phase: standing.phase };
}
