import { findReplacement } from '../../job/find-replacement.ts';
import type { ComponentContext } from '../../job/component.ts';
import type { StepKind } from '../../plan/plan.ts';
import { assertAllAsked } from './replay.ts';
import { momentOf, replacementOf } from './replacement.ts';

/** That the moment can be brought back, while all is there still: `arguments` as of `replacementOf`, and the moment. */
export function reaching(context: ComponentContext): StepKind {
  return {
    isDone: async () => 'unknown',
    run: async (call) => {
      const { component } = replacementOf(context, call);
      await using closing = new AsyncDisposableStack();
      const wanted = momentOf(call, component);
      const { planned } = await findReplacement({ ...context, signal: call.signal }, wanted, closing);
      assertAllAsked(component, wanted, planned?.unasked ?? []);
    },
  };
}
