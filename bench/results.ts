/** One finished command, as bench/measure.ts prints it. */
export interface Measurement {
  readonly status: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
}

/** Measurements of one phase: tool → one a round, in order, so that rounds can be paired. */
export type Phase = ReadonlyMap<string, readonly Measurement[]>;

export interface SetResult {
  readonly set: string;
  readonly phases: ReadonlyMap<string, Phase>;
  /** Tool → bytes of the repository after the last backup. */
  readonly repositoryBytes: ReadonlyMap<string, number>;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Median over the rounds of ours / theirs: a drift of the machine's speed hits both of a pair. */
export function pairedRatio(ours: readonly Measurement[], theirs: readonly Measurement[], figure: Figure): number {
  return median(ours.map((mine, round) => mine[figure] / (theirs[round]?.[figure] ?? Number.NaN)));
}

export type Figure = 'wallMs' | 'cpuMs' | 'peakMiB';

/** The tables of docs/BENCHMARKS.md. */
export function table(result: SetResult): string {
  const rows = [...result.phases].flatMap(([phase, tools]) => rowsOf(result.set, phase, tools));
  const sizes = [...result.repositoryBytes].map(([tool, bytes]) => `${tool} ${(bytes / 2 ** 20).toFixed(0)}`);
  return [...rows, `| ${result.set} | repository, MiB | ${sizes.join(' · ')} | | | |`].join('\n');
}

function rowsOf(set: string, phase: string, tools: Phase): readonly string[] {
  const ours = tools.get('holdfast') ?? [];
  return [...tools].map(([tool, runs]) => {
    const figures = `${(median(runs.map((run) => run.wallMs)) / 1000).toFixed(2)} / ${(median(runs.map((run) => run.cpuMs)) / 1000).toFixed(2)} / ${median(runs.map((run) => run.peakMiB)).toFixed(0)}`;
    const ratio = (figure: Figure): string => (tool === 'holdfast' ? '' : pairedRatio(ours, runs, figure).toFixed(2));
    return `| ${set} ${phase} | ${tool} | ${figures} | ${ratio('wallMs')} | ${ratio('cpuMs')} | ${ratio('peakMiB')} |`;
  });
}
