/** What a static check answers: what it found wrong, and facts worth a line though nothing is wrong. */
export interface Verdict {
  readonly findings: readonly string[];
  readonly remarks?: readonly string[];
}

export type Check = () => Verdict;
