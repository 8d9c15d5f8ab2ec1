import { HoldfastError } from '../../errors/error.ts';
import type { ExternalCopy } from '../../point/point.ts';
import type { Verification } from '../../policy/policy.ts';
import type { ExternalPoints } from '../../source/external.ts';
import type { WalkOptions } from '../../source/source.ts';
import type { CheckResult } from '../verification.ts';
import { verdictOfChecks, type Verdict } from './judge.ts';

export interface LookedElsewhere {
  readonly verdict: Verdict;
  readonly checks: readonly CheckResult[];
}

/** Only its source can ask a point that is held elsewhere: a check of the policy is not run, and it is not verified then. */
export async function lookElsewhere(
  external: ExternalPoints,
  { repository, point }: ExternalCopy,
  { do: level, checks: asked }: Verification,
  options: WalkOptions,
): Promise<LookedElsewhere> {
  const found = `${repository} holds it, where no check of a policy reaches`;
  const checks = asked.map(({ name }) => ({ name, state: 'not run', expected: 'an answer', found }) as const);
  try {
    const verdict = await external.verify(repository, point, level, options);
    return { verdict: verdict.state === 'verified' ? verdictOfChecks(checks) : verdict, checks };
  } catch (error) {
    options.signal.throwIfAborted();
    if (!(error instanceof HoldfastError)) throw error;
    return { verdict: { state: 'could not verify', reason: error.message }, checks };
  }
}
