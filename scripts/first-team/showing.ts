import { line, outcome } from '../first-backup/report.ts';
import type { Verified } from './run.ts';

const marks = { 'verified': 'proven', 'failed': 'failed', 'could not verify': 'not known' } as const;

/** One copy, what was found in it, and how long each part of a recovery took. */
export function showProof({ component, repository, state, reason, checks, stages }: Verified): void {
  const found = checks.filter(({ name }) => name !== 'sandbox' && name !== 'dump');
  const answers = found.map(({ name, found: answer }) => `${name}: ${shortened(answer)}`).join(', ');
  const times = Object.entries(stages).map(([stage, took]) => `${stage} ${took.toFixed(1)} s`);
  outcome(
    marks[state],
    `${`${component} in ${repository}`.padEnd(20)} ${state === 'verified' ? answers : reason?.split('; ')[0]}`,
  );
  if (state === 'verified') line(`    ${times.join(', ')}`);
}

function shortened(answer: string): string {
  return answer.replace(/^exit code 0.*$/, 'done');
}
