import { placesOf } from '../policy/policy.ts';
import { backup, type BackupOutcome } from './backup.ts';
import type { Lease, Taken } from './lease.ts';
import { turnFor } from './turn.ts';
import { contextIn, recorded, tagsOf, type ComponentContext, type NewRecord, type RuleOf } from './component.ts';
import { openSource } from './open-source.ts';

/**
 * Runs a rule: a backup into its first repository. The copies are `copyRule`'s. Where somebody else runs it just now, or
 * has run it since this was asked for, nothing is done and nothing recorded.
 */
export async function backupRule(context: ComponentContext, of: RuleOf): Promise<BackupOutcome | Taken> {
  const [first = ''] = placesOf(of.rule);
  if (context.mode === 'dry-run') return await run(context, of, first);
  const turn = await turnFor(context, of);
  if (!('assertHeld' in turn)) return turn;
  await using lease = turn;
  const about = { kind: 'run', component: of.name, repository: first } as const;
  return await recorded(
    context,
    about,
    async () => {
      const outcome = await run(context, of, first, lease);
      lease.markDone();
      return outcome;
    },
    (outcome) => dataOf(of, outcome),
  );
}

function dataOf(
  { ruleName }: RuleOf,
  { snapshot, counts, unread, startedNs, endedNs }: BackupOutcome,
): NewRecord['data'] {
  return {
    outcome: unread === 0 ? 'done' : 'done in part',
    rule: ruleName,
    snapshot,
    unread,
    files: counts.totalFilesProcessed,
    bytes: counts.totalBytesProcessed,
    added: counts.dataAddedPacked,
    seconds: Number(endedNs - startedNs) / 1e9,
  };
}

async function run(context: ComponentContext, of: RuleOf, first: string, lease?: Lease): Promise<BackupOutcome> {
  const { source, paths, excludes } = openSource(context, of.name, of.component);
  const { maker, writer, mode, cacheFolder } = context;
  return await backup(contextIn(context, first), {
    source,
    paths,
    // The newest of this rule, wherever it was made: a component may move to another host.
    parent: { kind: 'latest', groupBy: { host: false, paths: false, tags: true } },
    detection: { mode: 'metadata', ctime: 'compared', inode: 'compared' },
    snapshot: { ...maker, tags: tagsOf(of), excludes },
    writer: { ...writer, mode: mode === 'dry-run' ? 'dry-run' : 'store' },
    whenUnchanged: 'save',
    scan: 'measure',
    lockMemory: cacheFolder,
    notes: 'none',
    ...(lease && { beforeSnapshot: async () => await lease.assertHeld() }),
  });
}
