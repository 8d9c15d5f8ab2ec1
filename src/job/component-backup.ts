import { rawPathOf } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { placesOf } from '../policy/policy.ts';
import { sourceKinds } from '../source/kinds.ts';
import type { OpenedSource } from '../source/source.ts';
import { backup, type BackupOutcome } from './backup.ts';
import { contextIn, recorded, tagsOf, type ComponentContext, type NewRecord, type RuleOf } from './component.ts';

/** Runs a rule: a backup into its first repository. The copies are `copyRule`'s. */
export async function backupRule(context: ComponentContext, of: RuleOf): Promise<BackupOutcome> {
  const [first = ''] = placesOf(of.rule);
  const about = { kind: 'run', component: of.name, repository: first } as const;
  return await recorded(
    context,
    about,
    async () => await run(context, of, first),
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

async function run(context: ComponentContext, of: RuleOf, first: string): Promise<BackupOutcome> {
  const { source, paths, excludes } = opened(context, of);
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
  });
}

function opened({ clock, cacheFolder }: ComponentContext, { name, component }: RuleOf): OpenedSource {
  const { kind, options } = component.source;
  const open = sourceKinds[kind]?.open;
  if (open === undefined)
    throw new HoldfastError(
      'unsupported',
      `${name}: ${kind} is not built yet; \`command:\` with a dump works meanwhile`,
    );
  const leftOut = cacheFolder === undefined ? [] : [rawPathOf(`${cacheFolder}/holdfast`)];
  return open(options, { component: name, clock, leftOut });
}
