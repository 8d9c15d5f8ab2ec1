import { lstatSync, type BigIntStats } from 'node:fs';
import { displayPath, type RawPath } from '../../bytes/ids.ts';
import type { Repository } from '../../repository/repository.ts';
import { restoreTree, type RestoreOptions, type Select } from '../../snapshot/restore.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { walkTree } from '../../snapshot/walk.ts';
import type { JobContext } from '../job.ts';
import type { CheckResult } from '../verification.ts';
import { judged, type Check } from './expectation.ts';

/** What was restored, and what it is held against. */
export interface Restored {
  readonly repository: Repository;
  readonly snapshot: Snapshot;
  /** Where it was restored to. */
  readonly folder: RawPath;
  /** What of it. */
  readonly select: Select;
  readonly context: JobContext;
}

/** Asks what can be asked of files as they lie there. */
export async function askFiles(checks: readonly Check[], restored: Restored): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) results.push(await runCheck(check, restored));
  return results;
}

async function runCheck(check: Check, restored: Restored): Promise<CheckResult> {
  if (check.count !== undefined) return judged(check, (await sizesOf(restored)).files);
  if (check.size !== undefined) return judged(check, (await sizesOf(restored)).bytes);
  if (check.checksums === 'snapshot') return await sameAs(check, restored, restored.folder);
  return await sameAs(check, restored, rootFolder);
}

const rootFolder = '/' as RawPath;

/** Of regular files, as the snapshot has them; what was restored was read back against it. */
async function sizesOf({
  repository,
  snapshot,
}: Restored): Promise<{ readonly files: number; readonly bytes: number }> {
  let [files, bytes] = [0, 0];
  for await (const item of walkTree(repository, snapshot.tree)) {
    if (item.kind === 'unreadable') throw item.error;
    if (item.node.type !== 'file') continue;
    files += 1;
    bytes += item.node.sizeBytes;
  }
  return { files, bytes };
}

/** Folders have no content to compare. */
function filesOf(select: Select): Select {
  return (location, type) => {
    const { selected, childrenMayBe } = select(location, type);
    return { selected: selected && type === 'other', childrenMayBe };
  };
}

const comparing: Omit<RestoreOptions, 'select'> = {
  overwrite: 'always',
  extras: 'keep',
  mode: 'dry-run',
  holes: 'dense',
  verify: 'no',
  selectXattr: 'all',
};

/**
 * Every file below a folder against the snapshot: what a restore would write there differs. A live file that changed
 * since the backup says nothing against it, and is counted apart.
 */
async function sameAs(
  check: Check,
  { repository, snapshot, select, context }: Restored,
  folder: RawPath,
): Promise<CheckResult> {
  const isLive = check.checksums === 'source';
  const differing: string[] = [];
  let [differ, since] = [0, 0];
  const heard = (item: string): void => {
    const there = lstatSync(`${folder === rootFolder ? '' : displayPath(folder)}${item}`, {
      bigint: true,
      throwIfNoEntry: false,
    });
    // Links and devices have no bytes; a restore makes them anew.
    if (there !== undefined && !there.isFile()) return;
    if (isLive && changedAfter(there, snapshot.timeNs)) since += 1;
    else {
      differ += 1;
      if (differing.length < 5) differing.push(item);
    }
  };
  const outcome = await restoreTree({
    repository,
    tree: snapshot.tree,
    target: folder,
    options: { ...comparing, select: filesOf(select) },
    signal: context.signal,
    listener: (event) => {
      if (event.kind === 'note' && isDifference(event.name)) heard(String(event.data['item']));
    },
  });
  const expected = `all as in ${isLive ? 'the live source' : 'the snapshot'}`;
  const wrong = differ + outcome.failures;
  const meanwhile = since === 0 ? '' : `, ${since} changed since the backup`;
  const found =
    wrong === 0 ? `${expected}${meanwhile}` : `${wrong} differ, such as ${differing.join(', ')}${meanwhile}`;
  return { name: check.name, state: wrong === 0 ? 'passed' : 'failed', expected, found };
}

function isDifference(name: string): boolean {
  return name === 'restored' || name === 'updated';
}

/** Also when it is gone. */
function changedAfter(there: BigIntStats | undefined, timeNs: bigint): boolean {
  return there === undefined || there.ctimeNs > timeNs || there.mtimeNs > timeNs;
}
