import { figuresOf, median, pairedRatio, rowName, sizeRatio, type Figure, type SetResult } from './results.ts';

/** The figures' table of docs/BENCHMARKS.md. */
export const figuresHead = [
  '| phase | tool | wall s / CPU s / peak MiB · requests a GiB | wall ratio | CPU ratio | peak ratio |',
  '| --- | --- | --- | --- | --- | --- |',
].join('\n');

export function figuresTable(result: SetResult): string {
  const rows = [...result.phases].flatMap(([phase, tools]) => {
    const ours = tools.get('holdfast') ?? [];
    return [...tools].map(([tool, runs]) => {
      const ratio = (figure: Figure): string => (tool === 'holdfast' ? '' : shown(pairedRatio(ours, runs, figure)));
      const ratios = [ratio('wall'), ratio('CPU'), ratio('peak')];
      return `| ${rowName(result, phase)} | ${tool} | ${figuresOf(result, runs)} | ${ratios.join(' | ')} |`;
    });
  });
  const sizes = [...result.repositoryBytes].map(([tool, bytes]) => `${tool} ${(median(bytes) / 2 ** 20).toFixed(0)}`);
  return [...rows, `| ${rowName(result, '')} | repository, MiB | ${sizes.join(' · ')} | | | |`].join('\n');
}

/** What Holdfast is to be, divided by restic; phases on S3. */
const bars: readonly (readonly [phase: RegExp, figure: Figure, most: number])[] = [
  [/^first$/, 'wall', 0.8],
  [/^restore$/, 'wall', 0.8],
  [/^unchanged$/, 'wall', 1],
  [/^copy/, 'wall', 0.7],
  [/^(?:first|unchanged|restore|copy.*)$/, 'requests', 1],
  [/^(?:first|unchanged|restore|copy.*)$/, 'peak', 1.3],
];

/** Ratios to restic, each beside its bar where there is one: `0.75 (≤ 0.8)`, in bold where it misses. */
export function ratiosTable(results: readonly SetResult[]): string {
  const head = ['| phase | wall | CPU | peak memory | requests a GiB |', '| --- | --- | --- | --- | --- |'];
  const rows = results.flatMap((result) => [
    ...[...result.phases].map(([phase, tools]) => {
      const ratio = (figure: Figure): string => {
        const value = pairedRatio(tools.get('holdfast') ?? [], tools.get('restic') ?? [], figure);
        return beside(value, bars.find(([of, what]) => of.test(phase) && what === figure)?.[2]);
      };
      return `| ${rowName(result, phase)} | ${ratio('wall')} | ${ratio('CPU')} | ${ratio('peak')} | ${ratio('requests')} |`;
    }),
    `| ${rowName(result, 'repository’s size')} | ${shown(sizeRatio(result, 'restic'))} | | | |`,
  ]);
  return [...head, ...rows].join('\n');
}

function beside(value: number, most: number | undefined): string {
  if (most === undefined) return shown(value);
  return value <= most ? `${shown(value)} (≤ ${most})` : `**${shown(value)}** (≤ ${most})`;
}

function shown(ratio: number): string {
  return ratio.toFixed(2);
}
