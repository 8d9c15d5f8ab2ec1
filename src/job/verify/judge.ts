import { hasCode } from '../../errors/error.ts';
import type { CheckResult, VerificationState } from '../verification.ts';

/** A verdict on what was looked at so far; 'verified' where nothing speaks against it. */
export interface Verdict {
  readonly state: VerificationState;
  readonly reason?: string | undefined;
}

/** What an error says of a copy: that it is damaged, or nothing at all. */
export function verdictOfError(error: unknown): Verdict {
  const reason = error instanceof Error ? error.message : String(error);
  const damaged = hasCode(error, 'damaged', 'blob-missing', 'storage-not-found', 'path-not-found');
  return { state: damaged ? 'failed' : 'could not verify', reason };
}

/** One wrong answer is enough to fail; one that is lacking is enough not to know. */
export function verdictOfChecks(checks: readonly CheckResult[]): Verdict {
  const failed = checks.filter(({ state }) => state === 'failed');
  if (failed.length > 0) return { state: 'failed', reason: failed.map(sentence).join('; ') };
  const lacking = checks.filter(({ state }) => state === 'not run');
  if (lacking.length > 0) return { state: 'could not verify', reason: lacking.map(sentence).join('; ') };
  return { state: 'verified' };
}

function sentence({ name, state, expected, found }: CheckResult): string {
  return state === 'failed' ? `${name}: expected ${expected}, found ${found}` : `${name}: not run, ${found}`;
}
