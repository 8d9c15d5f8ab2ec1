import { defaultGroupBy, parseGroupBy } from '../../retention/group.ts';
import { absolutePath, joinPath } from '../../bytes/unix-path.ts';
import { rawPathOf, type RawPath } from '../../bytes/ids.ts';
import { currentUser, hostName } from '../../host/users.ts';
import { backup, type BackupOptions } from '../../job/backup.ts';
import type { ParentChoice } from '../../job/parent.ts';
import type { ChangeDetection } from '../../snapshot/archive.ts';
import { cacheTag, filesSource, type ExcludeOptions } from '../../source/files.ts';
import { gatherTargets } from '../../source/lists.ts';
import { commandSource, inputSource } from '../../source/stream.ts';
import { jobContext } from '../access.ts';
import { goesByPolicy } from '../by-policy.ts';
import { backupView } from '../backup-view.ts';
import { cacheFolder } from '../cache.ts';
import { tagsOf } from '../checks/backup.ts';
import type { Invocation, Run } from '../command.ts';
import type { backupOptions } from '../commands/backup.ts';
import type { Context } from '../context.ts';
import { patternsOf } from '../patterns.ts';
import { programVersion } from '../program.ts';
import { isProgressSeen } from '../progress.ts';
import { presentTime } from '../selection.ts';
import { rawArgument } from '../raw-argument.ts';
import { filesGiven } from '../text-file.ts';
import { timeOf } from '../time-argument.ts';
import { writerOptions } from '../writer-options.ts';

type Values = Invocation<typeof backupOptions>['values'];

/** Exit code 3: a snapshot was written, but something could not be read. */
export const run: Run<typeof backupOptions> = async ({ values, operands }, context) => {
  if (await goesByPolicy(context)) {
    const { backupComponents } = await import('../components/backup.ts');
    return await backupComponents({ names: operands, values }, tagsOf(values), context);
  }
  using view = backupView(context, values.dryRun ? 'dry-run' : 'store');
  const options = await optionsOf(values, operands, context, view.listener);
  const outcome = await backup(jobContext(context, view.listener), options);
  view.finish(outcome);
  return view.warnings === 0 ? 0 : 3;
};

async function optionsOf(
  values: Values,
  operands: readonly string[],
  context: Context,
  listener: Context['listener'],
): Promise<BackupOptions> {
  const { globals, clock } = context;
  const timeNs = values.time === undefined ? undefined : timeOf(values.time, '--time');
  const { source, paths } = await sourceOf(values, operands, { context, listener, timeNs: timeNs ?? clock.nowNs() });
  const { name: username, uid, gid } = currentUser();
  return {
    source,
    paths,
    parent: values.stdin ? { kind: 'none' } : parentChoice(values, context),
    detection: detectionOf(values),
    snapshot: {
      ...(timeNs === undefined ? {} : { timeNs }),
      hostname: values.host ?? hostName(),
      username,
      uid,
      gid,
      tags: tagsOf(values),
      excludes: values.exclude,
      programVersion: `holdfast ${programVersion()}`,
    },
    writer: { ...writerOptions(globals, values.readConcurrency || 2), mode: values.dryRun ? 'dry-run' : 'store' },
    whenUnchanged: values.skipIfUnchanged ? 'skip' : 'save',
    // A second walk, for a percentage: not where nobody sees one.
    scan: !values.noScan && (isProgressSeen(context) || context.console.verbosity >= 2) ? 'measure' : 'none',
    lockMemory: cacheFolder(context),
    notes: context.console.verbosity >= (context.console.form === 'json' ? 2 : 3) ? 'each-item' : 'none',
  };
}

interface Surroundings {
  readonly context: Context;
  readonly listener: Context['listener'];
  readonly timeNs: bigint;
}

/** What is backed up, and the absolute paths that the snapshot names. */
async function sourceOf(
  values: Values,
  operands: readonly string[],
  { context, listener, timeNs }: Surroundings,
): Promise<Pick<BackupOptions, 'source' | 'paths'>> {
  const { clock } = context;
  if (values.stdin || values.stdinFromCommand) {
    const path = joinPath('/', rawArgument(values.stdinFilename ?? 'stdin'));
    const [program = '', ...args] = operands;
    const place = { path, timeNs };
    const source = values.stdinFromCommand
      ? commandSource({ ...place, program, args, clock })
      : inputSource(place, process.stdin);
    return { source, paths: [path] };
  }
  const here = rawPathOf(process.cwd());
  const targets = await targetsOf(values, operands, listener);
  const excludes = await excludesOf(values, context);
  const source = filesSource({ targets, excludes, atime: values.withAtime ? 'kept' : 'as-mtime', clock });
  return { source, paths: targets.map((target) => absolutePath(target, here)) };
}

async function targetsOf(
  { filesFrom, filesFromVerbatim, filesFromRaw }: Values,
  operands: readonly string[],
  listener: Context['listener'],
): Promise<readonly RawPath[]> {
  const lists = {
    patterns: await filesGiven(filesFrom, '--files-from'),
    verbatim: await filesGiven(filesFromVerbatim, '--files-from-verbatim'),
    raw: await filesGiven(filesFromRaw, '--files-from-raw'),
    named: operands.map(rawArgument),
  };
  return gatherTargets(lists, listener);
}

async function excludesOf(values: Values, context: Context): Promise<ExcludeOptions> {
  const { environment } = context;
  const cache = cacheFolder(context);
  return {
    patterns: await patternsOf(values.exclude, values.excludeFile, '--exclude-file', environment),
    caseInsensitivePatterns: await patternsOf(values.iexclude, values.iexcludeFile, '--iexclude-file', environment),
    ifPresent: [...values.excludeIfPresent, ...(values.excludeCaches ? [cacheTag] : [])],
    ...(values.excludeLargerThan === undefined ? {} : { largerThanBytes: values.excludeLargerThan }),
    fileSystems: values.oneFileSystem ? 'those-of-targets' : 'all',
    folders: cache === undefined ? [] : [rawPathOf(`${cache}/holdfast`)],
  };
}

function parentChoice({ force, parent, groupBy }: Values, context: Context): ParentChoice {
  if (force) return { kind: 'none' };
  if (parent !== undefined && parent !== 'latest') return { kind: 'named', name: parent, now: presentTime(context) };
  return { kind: 'latest', groupBy: groupBy === undefined ? defaultGroupBy : parseGroupBy(groupBy) };
}

/** A file system without lasting inodes has no lasting ctime either. */
function detectionOf({ ignoreInode, ignoreCtime, force }: Values): ChangeDetection {
  return {
    mode: force ? 'read-all' : 'metadata',
    ctime: ignoreCtime || ignoreInode ? 'ignored' : 'compared',
    inode: ignoreInode ? 'ignored' : 'compared',
  };
}
