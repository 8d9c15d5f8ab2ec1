import { HoldfastError } from '../errors/error.ts';
import { placesOf } from '../policy/policy.ts';
import { preloadWriting } from '../repository/preload.ts';
import { backup, type BackupOutcome } from './backup.ts';
import type { Lease, Taken } from './lease.ts';
import { turnFor } from './turn.ts';
import {
  contextIn,
  recorded,
  snapshotsOf,
  tagsOf,
  type ComponentContext,
  type NewRecord,
  type RuleOf,
} from './component.ts';
import { elsewhere, makePoint, type MadePoint } from './external.ts';
import { openReadable } from './open-source.ts';

/**
 * Runs a rule: a backup into its first repository, or a point that its source makes in its first place. The copies are `copyRule`'s. Where somebody else runs it just now, or
 * has run it since this was asked for, nothing is done and nothing recorded. `tags` are those of a snapshot beside our own:
 * 'unsupported' where the source makes its points itself.
 */
export async function backupRule(
  context: ComponentContext,
  of: RuleOf,
  tags: readonly string[] = [],
): Promise<BackupOutcome | MadePoint | Taken> {
  const [first = ''] = placesOf(of.rule);
  if (tags.length > 0 && elsewhere(context, of, first) !== undefined)
    throw new HoldfastError('unsupported', `${of.name}: what it makes in ${first} carries no tags`);
  if (context.mode === 'dry-run') return await run(context, of, { first, tags });
  const prepared = prepare(context, of, first);
  prepared.catch(() => undefined); // what can't be loaded is told where it is needed
  const turn = await turnFor(context, of);
  if (!('assertHeld' in turn)) return turn;
  await using lease = turn;
  const about = { kind: 'run', component: of.name, repository: first, data: { rule: of.ruleName } } as const;
  const outcome = await recorded(
    context,
    about,
    async () => {
      const done = await run(context, of, { first, tags, lease });
      lease.markDone();
      return done;
    },
    dataOf,
  );
  await recordLock(context, of, first, outcome);
  return outcome;
}

/** The key is derived meanwhile. */
async function prepare(context: ComponentContext, of: RuleOf, first: string): Promise<void> {
  if (elsewhere(context, of, first) !== undefined) return;
  const { source } = openReadable(context, of.name, of.component, of.rule.method);
  await Promise.all([preloadWriting(), source.prepare?.()]);
}

/** What the run needs can't be removed by anybody until then. */
async function recordLock(
  { recording }: ComponentContext,
  { name, ruleName }: RuleOf,
  repository: string,
  made: BackupOutcome | MadePoint,
): Promise<void> {
  if ('held' in made || made.immutableUntilNs === undefined) return;
  const { snapshot, immutableUntilNs } = made;
  const until = Temporal.Instant.fromEpochNanoseconds(immutableUntilNs).toString();
  const data = { outcome: 'done', action: 'extended', rule: ruleName, snapshot, until };
  await recording?.record({ kind: 'lock', component: name, repository, data });
}

function dataOf(made: BackupOutcome | MadePoint): NewRecord['data'] {
  const outcome = made.unread === 0 ? 'done' : 'done in part';
  if ('held' in made) {
    const { held, point, unread } = made;
    const time = point && Temporal.Instant.fromEpochNanoseconds(point.timeNs).toString();
    return { outcome, held, point: point?.identity, time, bytes: point?.sizeBytes, unread };
  }
  const { snapshot, counts, log, unread, startedNs, endedNs } = made;
  return {
    outcome,
    snapshot,
    log,
    unread,
    files: counts.totalFilesProcessed,
    bytes: counts.totalBytesProcessed,
    added: counts.dataAddedPacked,
    seconds: Number(endedNs - startedNs) / 1e9,
  };
}

interface Turn {
  readonly first: string;
  readonly tags: readonly string[];
  /** None in a dry run. */
  readonly lease?: Lease;
}

async function run(
  context: ComponentContext,
  of: RuleOf,
  { first, tags, lease }: Turn,
): Promise<BackupOutcome | MadePoint> {
  const own = elsewhere(context, of, first);
  if (own !== undefined) return await makePoint(own, context, of, first);
  const { source, paths, excludes } = openReadable(context, of.name, of.component, of.rule.method);
  const { maker, writer, mode, cacheFolder } = context;
  return await backup(contextIn(context, first), {
    source,
    paths,
    // The newest of this rule, wherever it was made: a component may move to another host.
    parent: { kind: 'latest', groupBy: { host: false, paths: false, tags: true }, tags: tagsOf(of) },
    before: snapshotsOf(of),
    detection: { mode: 'metadata', ctime: 'compared', inode: 'compared' },
    snapshot: { ...maker, tags: [...tagsOf(of), ...tags], excludes },
    writer: { ...writer, mode: mode === 'dry-run' ? 'dry-run' : 'store' },
    whenUnchanged: 'save',
    scan: 'measure',
    lockMemory: cacheFolder,
    notes: 'none',
    ...(lease && { beforeSnapshot: async () => await lease.assertHeld() }),
  });
}
