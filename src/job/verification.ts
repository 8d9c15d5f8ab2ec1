import type { Forecast, Stages } from '../objective/forecast.ts';
import type { PointCopy, RecoverablePoint } from '../point/point.ts';
import type { Verification } from '../policy/policy.ts';

/**
 * A verification restores a copy of a point, as far as its level says, and asks it questions. Its three outcomes are
 * never mixed:
 *
 * - 'verified' — everything that was to be looked at was looked at and right.
 * - 'failed' — the copy is damaged, incomplete or gives a wrong answer: it must not be counted on.
 * - 'could not verify' — the surroundings lack something (a repository that doesn't answer, a full disk, no isolation):
 *   nothing is known of the copy, neither good nor bad.
 *
 * A check that did not run is 'not run', and what has one is never 'verified'. One that can't be asked of what there is
 * (checksums that a cluster doesn't have) is 'left out': it is shown as NOT RUN, and neither proves nor accuses. A
 * verification proves one copy and says nothing of another.
 */
export interface VerificationOutcome {
  readonly state: VerificationState;
  readonly level: Verification['do'];
  readonly point: RecoverablePoint;
  readonly copy: PointCopy;
  /** Why, where it is not verified. */
  readonly reason: string | undefined;
  readonly checks: readonly CheckResult[];
  readonly stages: Stages;
  /** How long it was expected to take, by what was measured before. */
  readonly forecast: Forecast;
}

export type VerificationState = 'verified' | 'failed' | 'could not verify';

export interface CheckResult {
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'not run' | 'left out';
  /** For people: `at least 1000`. */
  readonly expected: string;
  /** What was there, or why it did not run. */
  readonly found: string;
}
