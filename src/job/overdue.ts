import { proofLevels } from '../point/point.ts';
import type { Policy, Verification } from '../policy/policy.ts';
import { dueAfter, longestGapMs } from '../policy/schedule.ts';
import type { StoredRecord } from '../record/record.ts';

/** A verification that a policy wants, and that nobody has recorded in time. */
export interface OverdueVerification {
  readonly component: string;
  /** Its place among those of the component, from 1. */
  readonly number: number;
  readonly level: Verification['do'];
  readonly from: string;
  /** Milliseconds since 1970, as all times here. */
  readonly dueMs: number;
  /** How much later it would have been in time. */
  readonly toleranceMs: number;
  /** The newest that came to an end; undefined: none ever did. */
  readonly lastMs: number | undefined;
}

const [hourMs, dayMs] = [3_600_000, 86_400_000];

interface Run {
  readonly component: string;
  readonly level: number;
  readonly repository: string | undefined;
  readonly ms: number;
}

/**
 * What records say of verifications: when each component was first heard of, when its verifications were changed in the
 * policy, and which came to an end, whatever was found. Takes records in any order and keeps no more than it needs.
 */
export class VerificationLog {
  readonly #begun = new Map<string, number>();
  readonly #changed = new Map<string, number>();
  readonly #runs = new Map<string, Run>();
  readonly #nowMs: number;

  constructor(nowNs: bigint) {
    this.#nowMs = Number(nowNs / 1_000_000n);
  }

  add({ kind, component, timeNs, repository, data }: StoredRecord): void {
    const ms = Number(timeNs / 1_000_000n);
    // A clock that went far ahead says nothing of when it was; a little is no matter.
    if (ms > this.#nowMs + dayMs) return;
    this.#begun.set(component, Math.min(ms, this.#begun.get(component) ?? ms));
    if (kind === 'configuration') this.#noteChange(data, ms);
    const { outcome, level } = data;
    const rank = proofLevels.findIndex((one) => one === level);
    if (kind !== 'verification' || rank < 0 || (outcome !== 'verified' && outcome !== 'failed')) return;
    const run: Run = { component, level: rank, repository, ms };
    const key = `${component} ${rank} ${repository ?? ''}`;
    if (ms >= (this.#runs.get(key)?.ms ?? ms)) this.#runs.set(key, run);
  }

  /** Those of the policy's components that should have run since; by the order of the file. */
  overdue(policy: Policy): readonly OverdueVerification[] {
    return Object.entries(policy.components).flatMap(([component, { verify }]) =>
      verify.flatMap((verification, at) => this.#judge(policy, { component, number: at + 1 }, verification) ?? []),
    );
  }

  #noteChange({ paths, changed, first }: StoredRecord['data'], ms: number): void {
    if (first === true || !Array.isArray(paths)) return;
    // Of a change that was too large to be told whole, any part may be meant.
    const names =
      paths.length === changed ? paths.map((path) => /^components\.(.+)\.verify/.exec(String(path))?.[1]) : [''];
    for (const name of names)
      if (name !== undefined) this.#changed.set(name, Math.max(ms, this.#changed.get(name) ?? ms));
  }

  #judge(
    policy: Policy,
    what: Pick<OverdueVerification, 'component' | 'number'>,
    { when, from, do: level }: Verification,
  ): OverdueVerification | undefined {
    const begunMs = this.#begun.get(what.component);
    if (begunMs === undefined) return undefined;
    const lastMs = this.#lastRun(what.component, level, from);
    const knownMs = [lastMs ?? begunMs, this.#changed.get(what.component) ?? begunMs, this.#changed.get('') ?? begunMs];
    const toleranceMs = Math.min(dayMs, Math.max(hourMs, longestGapMs(when) / 2));
    // Where a clock tells, what ran a little before its time was early, and needs no other.
    const earlyMs = when.kind === 'every' || lastMs === undefined ? 0 : toleranceMs;
    const dueMs = dueAfter(when, Math.max(...knownMs) + earlyMs, policy.timezone);
    if (dueMs === undefined || this.#nowMs <= dueMs + toleranceMs) return undefined;
    return { ...what, level, from, dueMs, toleranceMs, lastMs };
  }

  /** One that went further counts, too. */
  #lastRun(component: string, level: Verification['do'], from: string): number | undefined {
    const isIt = (run: Run): boolean =>
      run.component === component &&
      run.level >= proofLevels.indexOf(level) &&
      (from === 'nearest' || from === 'each' || run.repository === from);
    const times = [...this.#runs.values()].filter(isIt).map(({ ms }) => ms);
    return times.length === 0 ? undefined : Math.max(...times);
  }
}
