import { displayPath } from '../../bytes/ids.ts';
import { diff } from '../../job/diff.ts';
import type { DiffSide, DiffStatistics } from '../../snapshot/diff.ts';
import { anySnapshot } from '../../snapshot/snapshots.ts';
import type { Run } from '../command.ts';
import type { diffOptions } from '../commands/diff.ts';
import { formatBytes, quoteForTerminal } from '../format.ts';
import { reading } from '../reading.ts';
import { presentTime } from '../selection.ts';

export const run: Run<typeof diffOptions> = async ({ values, operands }, context) => {
  const { console } = context;
  const [component = '', time, other = 'latest'] = operands;
  const how = {
    action: 'diff',
    snapshots: operands,
    find: () => ({ filter: anySnapshot, now: presentTime(context) }),
    component,
    times: [time, other],
    from: values.from,
    asked: {},
  };
  let compared: readonly string[] = [];
  const statistics = await reading(context, how, async (job, names, find) => {
    compared = names;
    const [before = '', after = ''] = names;
    return await diff(job, {
      before,
      after,
      find,
      metadata: values.metadata ? 'compared' : 'ignored',
      onSnapshots: (first, second) =>
        console.say(`comparing snapshot ${first.slice(0, 8)} to ${second.slice(0, 8)}:\n`),
      onChange: ({ modifier, path }) => {
        const shown = displayPath(path);
        if (console.form === 'text') console.say(`${modifier.padEnd(4)} ${quoteForTerminal(shown)}`);
        else if (console.verbosity > 0) console.record({ message_type: 'change', path: shown, modifier });
      },
    });
  });
  const [before = '', after = ''] = compared;
  if (console.form === 'json') console.record(statisticsRecord(statistics, before, after));
  else for (const line of statisticsLines(statistics)) console.say(line, 0);
  return 0;
};

function statisticsRecord({ changedFiles, added, removed }: DiffStatistics, before: string, after: string): unknown {
  return {
    message_type: 'statistics',
    source_snapshot: before,
    target_snapshot: after,
    changed_files: changedFiles,
    added: sideRecord(added),
    removed: sideRecord(removed),
  };
}

function sideRecord({ files, dirs, others, dataBlobs, treeBlobs, bytes }: DiffSide): unknown {
  return { files, dirs, others, data_blobs: dataBlobs, tree_blobs: treeBlobs, bytes };
}

function statisticsLines({ changedFiles, added, removed }: DiffStatistics): readonly string[] {
  const counts = (plus: number, minus: number): string =>
    `${String(plus).padStart(5)} new, ${String(minus).padStart(5)} removed`;
  return [
    '',
    `Files:       ${counts(added.files, removed.files)}, ${String(changedFiles).padStart(5)} changed`,
    `Dirs:        ${counts(added.dirs, removed.dirs)}`,
    `Others:      ${counts(added.others, removed.others)}`,
    `Data Blobs:  ${counts(added.dataBlobs, removed.dataBlobs)}`,
    `Tree Blobs:  ${counts(added.treeBlobs, removed.treeBlobs)}`,
    `  Added:   ${formatBytes(added.bytes)}`,
    `  Removed: ${formatBytes(removed.bytes)}`,
  ];
}
