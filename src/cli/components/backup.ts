import { HoldfastError } from '../../errors/error.ts';
import { backupRule } from '../../job/component-backup.ts';
import type { Taken } from '../../job/lease.ts';
import { copyRule } from '../../job/component-copy.ts';
import type { ComponentContext, RuleOf } from '../../job/component.ts';
import { placesOf } from '../../policy/policy.ts';
import { assertNotReplaced } from '../../recovery/live.ts';
import { backupView } from '../backup-view.ts';
import { recordingContext, rulesMeant } from './context.ts';
import { tellCarried, tellMade } from './external-view.ts';
import type { Context } from '../context.ts';
import { plansFolder } from '../plan-view.ts';
import { copyView } from '../copy-view.ts';
import { policyOf } from '../policy-file.ts';

interface Meant {
  readonly names: readonly string[];
  readonly values: { readonly all: boolean; readonly rule: string | undefined; readonly dryRun: boolean };
}

type Base = ComponentContext;

/** What came of one step of a rule, as exit codes have it. */
type Outcome = 'done' | 'in part' | 'failed';

/**
 * `backup COMPONENT…`: every rule that is meant, one after another, each followed by its copies. What fails is told, and
 * the others go on. Exit code 1: something failed; 3: something was done in part.
 */
export async function backupComponents(meant: Meant, tags: readonly string[], context: Context): Promise<number> {
  return await forEachRule(meant, context, async (base, rule) => {
    const [to = ''] = placesOf(rule.rule);
    const outcome = await told(
      context,
      rule,
      { action: 'backup', to },
      async () => await runBackup(base, rule, { to, tags }, context),
    );
    // Copies are made even after a backup that failed: an earlier one may still have to travel.
    return base.mode === 'dry-run' ? [outcome] : [outcome, ...(await runCopies(base, rule, context))];
  });
}

/** `copy COMPONENT…`: from the first repository of each rule to its others. */
export async function copyComponents(meant: Meant, context: Context): Promise<number> {
  return await forEachRule(meant, context, async (base, rule) => await runCopies(base, rule, context));
}

async function forEachRule(
  { names, values }: Meant,
  context: Context,
  run: (base: Base, rule: RuleOf) => Promise<readonly Outcome[]>,
): Promise<number> {
  const { file, policy } = await policyOf(context);
  const rules = rulesMeant(policy, names, values);
  context.console.say(`policy ${file}`);
  const mode = values.dryRun ? 'dry-run' : 'execute';
  await using base = await recordingContext(context, policy, { mode, listener: context.listener });
  // All will be needed; where one is locked or far, its key is derived meanwhile.
  base.repositories.begin(
    new Set(rules.flatMap(({ rule }) => (values.dryRun ? placesOf(rule).slice(0, 1) : placesOf(rule)))),
  );
  const outcomes: Outcome[] = [];
  for (const rule of rules) outcomes.push(...(await run(base, rule)));
  return outcomes.includes('failed') ? 1 : outcomes.includes('in part') ? 3 : 0;
}

async function runCopies(base: Base, rule: RuleOf, context: Context): Promise<readonly Outcome[]> {
  const [from = '', ...others] = placesOf(rule.rule);
  const outcomes: Outcome[] = [];
  for (const to of others) {
    const step = { action: 'copy', from, to } as const;
    outcomes.push(await told(context, rule, step, async () => await runCopy(base, rule, { from, to }, context)));
  }
  return outcomes;
}

async function runBackup(
  base: Base,
  rule: RuleOf,
  { to, tags }: { readonly to: string; readonly tags: readonly string[] },
  context: Context,
): Promise<Outcome> {
  announce(context, rule, { action: 'backup', to });
  await assertNotReplaced(plansFolder(context), rule.name);
  using view = backupView(context, base.mode === 'dry-run' ? 'dry-run' : 'store');
  const outcome = await backupRule({ ...base, listener: view.listener }, rule, tags);
  if ('by' in outcome) {
    tellTaken(context, rule, outcome);
    return tags.length === 0 ? 'done' : untagged(context, rule, tags);
  }
  if ('held' in outcome) tellMade(context, rule, outcome);
  else view.finish(outcome);
  return view.warnings === 0 ? 'done' : 'in part';
}

/** Whose turn it was doesn't know of them. */
function untagged({ console }: Context, { name }: RuleOf, tags: readonly string[]): Outcome {
  const message = `no snapshot has the tag ${tags.join(', ')} by this: run the same command again once that backup has ended`;
  const record = { message_type: 'error', error: { message }, during: 'archival', item: name };
  console.complain(`warning: ${name}: ${message}`, record);
  return 'in part';
}

/** Once is enough: it is no failure of this run. */
function tellTaken({ console }: Context, { name, ruleName }: RuleOf, { by, state }: Taken): void {
  const record = { message_type: 'rule_skipped', component: name, rule: ruleName, state, by };
  if (console.form === 'json') console.record(record);
  console.say(state === 'running' ? `left to ${by}, which runs it just now` : `done meanwhile by ${by}`);
}

async function runCopy(
  base: Base,
  rule: RuleOf,
  way: { from: string; to: string },
  context: Context,
): Promise<Outcome> {
  announce(context, rule, { action: 'copy', ...way });
  using view = copyView(context, base.mode);
  const options = { ...way, onPlan: view.plan, onCopied: view.copied };
  const outcome = await copyRule({ ...base, listener: view.listener }, rule, options);
  if (outcome === undefined) {
    if (context.console.form === 'json') view.finish({ copied: 0, lost: [], unreadable: 0, blobs: 0, storedBytes: 0 });
    context.console.say('nothing to copy: all that is to be kept there is there');
    return 'done';
  }
  if ('held' in outcome) return tellCarried(context, rule, { outcome, place: way.to, word: 'copied', mode: base.mode });
  view.finish(outcome);
  return outcome.lost.length + outcome.unreadable === 0 ? 'done' : 'in part';
}

interface Step {
  readonly action: 'backup' | 'copy';
  readonly from?: string;
  readonly to: string;
}

function announce({ console }: Context, { name, ruleName }: RuleOf, step: Step): void {
  if (console.form === 'json') console.record({ message_type: 'rule', component: name, rule: ruleName, ...step });
  else console.say(`\n${name}, rule ${ruleName}: ${step.from === undefined ? '' : `${step.from} `}→ ${step.to}`);
}

/** What fails is told and ends its step alone. */
async function told(context: Context, rule: RuleOf, step: Step, run: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof HoldfastError) || context.signal.aborted) throw error;
    const { code, message, next, at = step.to } = error;
    const said = message.startsWith(`${rule.name}: `) ? message.slice(rule.name.length + 2) : message;
    const line = `${rule.name}, rule ${rule.ruleName}, ${at === step.to ? '' : `${step.action} to ${step.to}, `}${at}: ${said}\n  ${next}`;
    const record = {
      message_type: 'rule_failed',
      component: rule.name,
      rule: rule.ruleName,
      repository: at,
      ...step,
      error_code: code,
      message,
      next,
    };
    context.console.complain(line, record);
    return 'failed';
  }
}
