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
  const comparison = new Comparison(isLive ? snapshot.timeNs : undefined);
  const base = folder === rootFolder ? '' : displayPath(folder);
  const outcome = await restoreTree({
    repository,
    tree: snapshot.tree,
    target: folder,
    options: { ...comparing, select: filesOf(select) },
    signal: context.signal,
    listener: (event) => {
      if (event.kind !== 'note') return;
      const { item } = event.data;
      if (typeof item === 'string') comparison.heard(event.name, item, `${base}${item}`);
    },
  });
  const { differing, since } = comparison.end();
  const expected = `all as in ${isLive ? 'the live source' : 'the snapshot'}`;
  const wrong = differing.length + outcome.failures;
  const meanwhile = since === 0 ? '' : `, ${since} changed since the backup`;
  const found =
    wrong === 0
      ? `${expected}${meanwhile}`
      : `${wrong} differ, such as ${differing.slice(0, 5).join(', ')}${meanwhile}`;
  return { name: check.name, state: wrong === 0 ? 'passed' : 'failed', expected, found };
}

/** What a restore would change, told apart: what differs, and what of it changed since a time. */
class Comparison {
  readonly #sinceNs: bigint | undefined;
  readonly #differing: string[] = [];
  #since = 0;
  readonly #intact = new Set<string>();
  readonly #furtherNames: (readonly [string, BigIntStats])[] = [];

  constructor(sinceNs: bigint | undefined) {
    this.#sinceNs = sinceNs;
  }

  heard(note: string, item: string, path: string): void {
    const there = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    // Links and devices have no bytes; a restore makes them anew.
    if (there !== undefined && !there.isFile()) return;
    const hasNames = there !== undefined && there.nlink > 1n;
    if (!isDifference(note)) {
      if (hasNames) this.#intact.add(fileId(there));
    }
    // A restore links a further name anew, whatever is there: it is judged by the file that it stands for.
    else if (hasNames) this.#furtherNames.push([item, there]);
    else this.#count(item, there);
  }

  end(): { readonly differing: readonly string[]; readonly since: number } {
    for (const [item, there] of this.#furtherNames) if (!this.#intact.has(fileId(there))) this.#count(item, there);
    return { differing: this.#differing, since: this.#since };
  }

  #count(item: string, there: BigIntStats | undefined): void {
    if (this.#sinceNs !== undefined && changedAfter(there, this.#sinceNs)) this.#since += 1;
    else this.#differing.push(item);
  }
}

function isDifference(note: string): boolean {
  return note === 'restored' || note === 'updated';
}

function fileId(there: BigIntStats): string {
  return `${there.dev}:${there.ino}`;
}

/** Also when it is gone. */
function changedAfter(there: BigIntStats | undefined, timeNs: bigint): boolean {
  return there === undefined || there.ctimeNs > timeNs || there.mtimeNs > timeNs;
}
