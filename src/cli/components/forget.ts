import { HoldfastError } from '../../errors/error.ts';
import { forgetRule, type ForgetRuleOptions } from '../../job/component-forget.ts';
import type { RuleOf } from '../../job/component.ts';
import { placesOf } from '../../policy/policy.ts';
import type { Context } from '../context.ts';
import { showHeldBack } from '../held-back-view.ts';
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

/** `forget COMPONENT…|--all`: each rule in each of its repositories. Exit code 3: something could not be removed there. */
export async function forgetComponents({ names, values, showing }: Meant, context: Context): Promise<number> {
  const { policy } = await policyOf(context);
  const rules = rulesMeant(policy, names, values);
  const mode = values.dryRun ? 'dry-run' : 'execute';
  await using base = await recordingContext(context, policy, { mode, listener: context.listener });
  let failed = 0;
  for (const rule of rules) {
    for (const repository of placesOf(rule.rule)) {
      context.console.say(`\n${rule.name}, rule ${rule.ruleName}, in ${repository}:`);
      using view = showProgress(context);
      try {
        const options = { repository, ...showing(rule, repository) };
        const outcome = await forgetRule({ ...base, listener: view.listener }, rule, options);
        failed += outcome?.failed.length ?? 0;
        if (outcome !== undefined && 'held' in outcome)
          tellCarried(context, rule, { outcome, place: repository, word: 'removed', mode });
        else if (context.console.form === 'text') showHeldBack(outcome?.heldBack, context.console);
      } catch (error) {
        if (!(error instanceof HoldfastError) || context.signal.aborted) throw error;
        failed += 1;
        const { code, message, next } = error;
        const record = {
          message_type: 'rule_failed',
          component: rule.name,
          rule: rule.ruleName,
          repository,
          error_code: code,
          message,
          next,
        };
        context.console.complain(`${rule.name}, rule ${rule.ruleName}, ${repository}: ${message}\n  ${next}`, record);
      }
    }
  }
  for (const name of new Set(rules.map((rule) => rule.name))) await base.recording?.fold(name);
  return failed === 0 ? 0 : 3;
}
