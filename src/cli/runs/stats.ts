import { stats, type StatsOutcome } from '../../job/stats.ts';
import { jobContext } from '../access.ts';
import type { Run } from '../command.ts';
import type { statsOptions } from '../commands/stats.ts';
import { formatBytes } from '../format.ts';
import { nonZero, showProgress } from '../progress.ts';
import { findOptions } from '../selection.ts';

export const run: Run<typeof statsOptions> = async ({ values, operands }, context) => {
  const { console } = context;
  const mode = values.mode ?? 'restore-size';
  using view = showProgress(context);
  const outcome = await stats(jobContext(context, view.listener), {
    ...findOptions(values, context),
    names: operands,
    mode,
  });
  view[Symbol.dispose]();
  if (console.form === 'json') console.record(record(outcome));
  else for (const line of [`Stats in ${mode} mode:`, ...lines(outcome)]) console.say(line, 0);
  return 0;
};

/** Factors and percentages, 0 where there is nothing to compare. */
function compression({ sizeBytes, raw }: StatsOutcome): {
  readonly ratio: number;
  readonly progress: number;
  readonly saving: number;
} {
  if (raw === undefined) return { ratio: 0, progress: 0, saving: 0 };
  const { uncompressedBytes, compressed } = raw;
  return {
    ratio: compressed.storedBytes > 0 ? compressed.plainBytes / compressed.storedBytes : 0,
    progress: uncompressedBytes > 0 ? (compressed.plainBytes / uncompressedBytes) * 100 : 0,
    saving: uncompressedBytes > 0 ? (1 - sizeBytes / uncompressedBytes) * 100 : 0,
  };
}

function record(outcome: StatsOutcome): unknown {
  const { ratio, progress, saving } = compression(outcome);
  return {
    total_size: outcome.sizeBytes,
    ...nonZero('total_uncompressed_size', outcome.raw?.uncompressedBytes ?? 0),
    ...nonZero('compression_ratio', ratio),
    ...nonZero('compression_progress', progress),
    ...nonZero('compression_space_saving', saving),
    ...nonZero('total_file_count', outcome.files),
    ...nonZero('total_blob_count', outcome.blobs),
    snapshots_count: outcome.snapshots,
  };
}

function lines(outcome: StatsOutcome): readonly string[] {
  const { ratio, progress, saving } = compression(outcome);
  const rows: readonly (readonly [string, string, boolean])[] = [
    ['Snapshots processed', String(outcome.snapshots), true],
    ['Total Blob Count', String(outcome.blobs), outcome.blobs > 0],
    ['Total File Count', String(outcome.files), outcome.files > 0],
    [
      'Total Uncompressed Size',
      formatBytes(outcome.raw?.uncompressedBytes ?? 0),
      (outcome.raw?.uncompressedBytes ?? 0) > 0,
    ],
    ['Total Size', formatBytes(outcome.sizeBytes), true],
    ['Compression Progress', `${progress.toFixed(2)}%`, progress > 0],
    ['Compression Ratio', `${ratio.toFixed(2)}x`, ratio > 0],
    ['Compression Space Saving', `${saving.toFixed(2)}%`, saving > 0],
  ];
  return rows.filter(([, , shown]) => shown).map(([label, value]) => `${label.padStart(24)}:  ${value}`);
}
