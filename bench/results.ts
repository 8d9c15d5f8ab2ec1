import type { RequestCounts } from './requests.ts';

/** One finished command, as bench/measure.ts prints it. */
export interface Measurement {
  readonly status: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
  /** Where the repository stands behind requests. */
  readonly requests?: RequestCounts;
}

/** Measurements of one phase: tool → one a round, in order, so that rounds can be paired. */
export type Phase = ReadonlyMap<string, readonly Measurement[]>;

export interface SetResult {
  readonly set: string;
  /** Where the repositories stood; '' for local folders. */
  readonly place: string;
  /** Of what is backed up. */
  readonly dataBytes: number;
  readonly phases: ReadonlyMap<string, Phase>;
  /** Tool → bytes of the repository after the last backup, one a round. */
  readonly repositoryBytes: ReadonlyMap<string, readonly number[]>;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

const figures = {
  wall: ({ wallMs }: Measurement) => wallMs,
  CPU: ({ cpuMs }: Measurement) => cpuMs,
  peak: ({ peakMiB }: Measurement) => peakMiB,
  requests: ({ requests = {} }: Measurement) => Object.values(requests).reduce((sum, count) => sum + count, 0),
};

export type Figure = keyof typeof figures;

/** Median over the rounds of ours / theirs: a drift of the machine's speed hits both of a pair. */
export function pairedRatio(ours: readonly Measurement[], theirs: readonly Measurement[], figure: Figure): number {
  const of = figures[figure];
  return median(ours.map((mine, round) => of(mine) / (theirs[round] ? of(theirs[round]) : Number.NaN)));
}

/** The name of a row. */
export function rowName({ set, place }: SetResult, phase: string): string {
  return [set, place, phase].filter((part) => part !== '').join(' ');
}

/** The repository's size: ours / theirs. */
export function sizeRatio({ repositoryBytes }: SetResult, peer: string): number {
  const theirs = repositoryBytes.get(peer) ?? [];
  return median((repositoryBytes.get('holdfast') ?? []).map((bytes, round) => bytes / (theirs[round] ?? Number.NaN)));
}

/** Medians; of requests, how many a GiB of the data, by kind. */
export function figuresOf({ dataBytes }: SetResult, runs: readonly Measurement[]): string {
  const wall = (median(runs.map(figures.wall)) / 1000).toFixed(2);
  const cpu = (median(runs.map(figures.CPU)) / 1000).toFixed(2);
  const peak = median(runs.map(figures.peak)).toFixed(0);
  const kinds = new Set(runs.flatMap(({ requests = {} }) => Object.keys(requests)));
  const requests = [...kinds].toSorted().map((kind) => {
    const count = median(runs.map((run) => run.requests?.[kind] ?? 0));
    return `${kind} ${((count * 2 ** 30) / dataBytes).toFixed(0)}`;
  });
  return [`${wall} / ${cpu} / ${peak}`, ...requests].join(' · ');
}
