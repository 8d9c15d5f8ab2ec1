import { lstatSync, type BigIntStats } from 'node:fs';
import { displayPath, type RawPath } from '../../bytes/ids.ts';
import type { Verification } from '../../policy/policy.ts';
import type { Repository } from '../../repository/repository.ts';
import { restoreTree, type RestoreOptions, type Select } from '../../snapshot/restore.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { walkTree } from '../../snapshot/walk.ts';
import type { JobContext } from '../job.ts';
import type { CheckResult } from '../verification.ts';

export type Check = Verification['checks'][number];

/** What was restored, and what it is held against. */
export interface Restored {
  readonly repository: Repository;
  readonly snapshot: Snapshot;
  /** Where it was restored to. */
  readonly folder: RawPath;
  readonly context: JobContext;
}

export async function runChecks(checks: readonly Check[], restored: Restored): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) results.push(await runCheck(check, restored));
  return results;
}

async function runCheck(check: Check, restored: Restored): Promise<CheckResult> {
  if (check.count !== undefined) return judged(check, (await sizesOf(restored)).files);
  if (check.size !== undefined) return judged(check, (await sizesOf(restored)).bytes);
  if (check.checksums === 'snapshot') return await sameAs(check, restored, restored.folder);
  if (check.checksums === 'source') return await sameAs(check, restored, rootFolder);
  const found = 'this needs a sandbox in which the component is started, which this version doesn’t have';
  return { name: check.name, state: 'not run', expected: expectationOf(check), found };
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

function judged(check: Check, found: number): CheckResult {
  const { name, equals, 'at-least': least, 'at-most': most, between } = check;
  const right =
    (equals === undefined || found === Number(equals)) &&
    (least === undefined || found >= least) &&
    (most === undefined || found <= most) &&
    (between === undefined || (found >= between[0] && found <= between[1]));
  const isAsked = [equals, least, most, between].some((one) => one !== undefined);
  // Something is there, where nothing more is asked.
  const passed = isAsked ? right : found > 0;
  return { name, state: passed ? 'passed' : 'failed', expected: expectationOf(check), found: String(found) };
}

function expectationOf({ equals, 'at-least': least, 'at-most': most, between, within }: Check): string {
  const parts = [
    ...(equals === undefined ? [] : [`exactly ${equals}`]),
    ...(least === undefined ? [] : [`at least ${least}`]),
    ...(most === undefined ? [] : [`at most ${most}`]),
    ...(between === undefined ? [] : [`between ${between[0]} and ${between[1]}`]),
    ...(within === undefined ? [] : [`not older than ${within.text}`]),
  ];
  return parts.length === 0 ? 'something' : parts.join(' and ');
}

/** Folders have no content to compare. */
const filesOnly: Select = (_location, type) => ({ selected: type === 'other', childrenMayBe: true });

const comparing: RestoreOptions = {
  overwrite: 'always',
  select: filesOnly,
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
  { repository, snapshot, context }: Restored,
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
    options: comparing,
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
