import { textOf } from '../../bytes/fields.ts';
import type { Clock } from '../../clock/clock.ts';
import type { StepCall, StepKind } from '../../plan/plan.ts';

const pauseMs = 500;
const answerMs = 10_000;

/** Waits until an address answers with 2xx: `arguments` {url}. Its time is the step's. */
export function healthy({ clock }: { readonly clock: Clock }): StepKind {
  return {
    isDone: async () => 'unknown',
    run: async (call) => {
      while (!(await answersWell(call))) await clock.sleep(pauseMs, call.signal);
    },
  };
}

async function answersWell({ step, signal }: StepCall): Promise<boolean> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
  try {
    const response = await fetch(textOf(step.arguments['url'], step.key), { signal: within, redirect: 'manual' });
    await response.body?.cancel();
    return response.ok;
  } catch {
    signal.throwIfAborted();
    return false; // not yet: nothing listens, or it takes too long
  }
}
