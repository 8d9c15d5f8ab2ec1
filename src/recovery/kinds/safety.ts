import { textOf } from '../../bytes/fields.ts';
import { backupForSafety, hasSafetyBackup } from '../../job/safety-backup.ts';
import type { ComponentContext } from '../../job/component.ts';
import type { StepKind } from '../../plan/plan.ts';

/** Backs up what is about to be replaced: `arguments` {component}. The snapshot stays, whatever becomes of the plan. */
export function safety(context: ComponentContext): StepKind {
  return {
    isDone: async ({ step, hash, attempt, signal }) => {
      if (attempt === 1) return 'unknown';
      const component = textOf(step.arguments['component'], step.key);
      return (await hasSafetyBackup({ ...context, signal }, { component, plan: hash })) ? 'done' : 'not done';
    },
    run: async ({ step, hash, signal }) => {
      const component = textOf(step.arguments['component'], step.key);
      await backupForSafety({ ...context, signal }, { component, plan: hash });
    },
  };
}
