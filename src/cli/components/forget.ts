import { HoldfastError } from '../../errors/error.ts';
import { forgetRule, type ForgetRuleOptions } from '../../job/component-forget.ts';
import type { ComponentContext, RuleOf } from '../../job/component.ts';
import { expireLog } from '../../job/log-window.ts';
import { forgetSafety, safetyKeptDays, safetyPlacesOf } from '../../job/safety-forget.ts';
import { placesOf } from '../../policy/policy.ts';
import { clearPlans } from '../../recovery/live.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { Context } from '../context.ts';
import { plural } from '../format.ts';
import { showHeldBack } from '../held-back-view.ts';
import { plansFolder } from '../plan-view.ts';
import { policyOf } from '../policy-file.ts';
import { showProgress } from '../progress.ts';
import { recordingContext, rulesMeant } from './context.ts';
import { tellCarried } from './external-view.ts';

interface Meant {
  readonly names: readonly string[];
  readonly values: { readonly all: boolean; readonly rule: string | undefined; readonly dryRun: boolean };
  /** Shows one repository's plan and what was removed. */
  readonly showing: (of: RuleOf, repository: string) => Pick<ForgetRuleOptions, 'onPlan' | 'onRemoved'>;
}

/** `forget COMPONENT…|--all`: each rule in each of its repositories. Exit code 1: it failed in all of them; 3: something could not be removed. */
export async function forgetComponents({ names, values, showing }: Meant, context: Context): Promise<number> {
  const { policy } = await policyOf(context);
  const rules = rulesMeant(policy, names, values);
  const mode = values.dryRun ? 'dry-run' : 'execute';
  await using base = await recordingContext(context, policy, { mode, listener: context.listener });
  let failed = 0;
  let done = 0;
  const closed = new Set<string>();
  for (const rule of rules) {
    for (const repository of placesOf(rule.rule)) {
      announce(rule, repository, context);
      using view = showProgress(context);
      try {
        const options = { repository, ...showing(rule, repository) };
        const outcome = await forgetRule({ ...base, listener: view.listener }, rule, options);
        done += 1;
        failed += outcome?.failed.length ?? 0;
        if (outcome !== undefined && 'held' in outcome)
          tellCarried(context, rule, { outcome, place: repository, word: 'removed', mode });
        else if (context.console.form === 'text') showHeldBack(outcome?.heldBack, context.console);
      } catch (error) {
        failed += tellFailed({ component: rule.name, rule: rule.ruleName, repository }, error, context);
        closed.add(repository);
      }
    }
  }
  for (const name of new Set(rules.map((rule) => rule.name))) {
    const places = safetyPlacesOf(base, name).filter((place) => !closed.has(place));
    for (const repository of places)
      failed += await forgetSafetyBackups({ component: name, repository }, base, context);
    failed += await expireLogOf(name, base, context);
    await base.recording?.fold(name);
  }
  if (mode === 'execute') await clearPlans({ context: base, folder: plansFolder(context) });
  if (failed === 0) return 0;
  return done === 0 ? 1 : 3;
}

/** What the windows of its log have passed. How many failures that is. */
async function expireLogOf(component: string, base: ComponentContext, context: Context): Promise<number> {
  const { console } = context;
  const places = Object.keys(base.policy.components[component]?.log?.to ?? {});
  try {
    for (const { repository, stream, removed, pieces } of await expireLog(base, component)) {
      const counts = { segments: removed.length, pieces: pieces.length };
      const record = { message_type: 'log_expired', component, repository, log: stream, ...counts };
      if (console.form === 'json') console.record(record);
      const word = base.mode === 'dry-run' ? 'would remove' : 'removed';
      const of = [plural(removed.length, 'segment'), ...(pieces.length === 0 ? [] : [plural(pieces.length, 'piece')])];
      const what = `${of.join(' and ')} of the log ${stream}, which no moment of its window needs`;
      console.say(`\n${component}, in ${repository}: ${word} ${what}`);
    }
    return 0;
  } catch (error) {
    return tellFailed({ component, repository: places.join(', '), what: 'its log' }, error, context);
  }
}

function announce({ name, ruleName }: RuleOf, from: string, { console }: Context): void {
  if (console.form === 'json')
    console.record({ message_type: 'rule', component: name, rule: ruleName, action: 'forget', from });
  else console.say(`\n${name}, rule ${ruleName}, in ${from}:`);
}

interface Place {
  readonly component: string;
  /** Undefined of safety backups and logs, which belong to none. */
  readonly rule?: string;
  readonly what?: string;
  readonly repository: string;
}

/** How many failures that is. */
function tellFailed(
  { component, rule, repository, what = 'safety backups' }: Place,
  error: unknown,
  { console, signal }: Context,
): number {
  if (!(error instanceof HoldfastError) || signal.aborted) throw error;
  const { code, message, next } = error;
  const record = { message_type: 'rule_failed', component, rule, repository, error_code: code, message, next };
  const whose = rule === undefined ? what : `rule ${rule}`;
  console.complain(`${component}, ${whose}, ${repository}: ${message}\n  ${next}`, record);
  return 1;
}

/** Those of restores in place that were over long ago. How many could not be removed. */
async function forgetSafetyBackups(place: Place, base: ComponentContext, context: Context): Promise<number> {
  const onPlan = (snapshots: readonly Snapshot[]): void => tellSafety(place, snapshots, base.mode, context);
  try {
    const outcome = await forgetSafety(base, { ...place, onPlan });
    return outcome?.failed.length ?? 0;
  } catch (error) {
    return tellFailed(place, error, context);
  }
}

function tellSafety(
  { component, repository }: Place,
  snapshots: readonly Snapshot[],
  mode: ComponentContext['mode'],
  { console }: Context,
): void {
  const remove = snapshots.map(({ id }) => id);
  if (console.form === 'json') console.record({ message_type: 'safety_backups', component, repository, remove });
  const word = mode === 'dry-run' ? 'would remove' : 'removing';
  const what = `${plural(remove.length, 'safety backup')} of restores in place that were over ${safetyKeptDays} days ago`;
  console.say(`\n${component}, in ${repository}: ${word} ${what}`);
}
