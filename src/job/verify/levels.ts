import { rawPathOf, type RawPath } from '../../bytes/ids.ts';
import type { Policy, Verification } from '../../policy/policy.ts';
import type { Blobs } from '../../repository/blob-set.ts';
import type { Repository } from '../../repository/repository.ts';
import { DiskFull, restoreTree, selectAll, type RestoreOptions, type Select } from '../../snapshot/restore.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { walkTree } from '../../snapshot/walk.ts';
import { loadReadableIndex } from '../readable-index.ts';
import type { JobContext } from '../job.ts';
import type { Stages } from '../../objective/forecast.ts';
import type { CheckResult } from '../verification.ts';
import { askFiles } from './checks.ts';
import { lookInside, needsSandbox, type Inside } from './inside.ts';
import { limitsOf } from './limits.ts';
import { verdictOfError, type Verdict } from './judge.ts';
import { assertData, assertStructure } from './read.ts';
import { scratchBelow, type Scratch } from './scratch.ts';

export interface Looked {
  readonly verdict: Verdict;
  readonly checks: readonly CheckResult[];
  readonly stages: Partial<Stages>;
}

export interface LookOptions {
  readonly verification: Verification;
  readonly scratch: RawPath;
  readonly random: () => number;
  readonly context: JobContext;
  readonly surroundings: Surroundings;
}

/** What a sandbox needs to know of its component and this host. */
export interface Surroundings extends Pick<Inside, 'rehearsal' | 'hidden' | 'visible'> {
  readonly limits: Policy['sandbox'];
}

/** Looks at one snapshot, as far as the verification says. Each level includes those before it; the cache is not asked. */
export async function lookAt(repository: Repository, snapshot: Snapshot, options: LookOptions): Promise<Looked> {
  const { verification, context } = options;
  const direct = repository.direct();
  const begunMs = context.clock.monotonicMs();
  await loadReadableIndex(direct, context.listener);
  const find = (context.clock.monotonicMs() - begunMs) / 1000;
  const used = await assertStructure(direct, snapshot.tree, context);
  const done: Looked = { verdict: { state: 'verified' }, checks: [], stages: { find } };
  if (verification.do === 'structure') return done;
  if (verification.do === 'data') {
    await assertData(direct, used, context);
    return done;
  }
  const select =
    extentOf(options) === 'part'
      ? await sampleOf(direct, snapshot, verification.files ?? 10, options.random)
      : selectAll;
  return await restored(direct, snapshot, { ...options, select, used, find });
}

/** Tables can be read of a database alone that was brought up, which takes the whole of it. */
function extentOf({ verification, surroundings: { rehearsal } }: LookOptions): Inside['extent'] {
  const readsTables = verification.tables !== undefined && rehearsal !== undefined;
  return verification.do === 'restore' || readsTables ? 'whole' : 'part';
}

interface RestoreLook extends LookOptions {
  readonly select: Select;
  readonly used: Blobs;
  /** How long it took until it was known where its bytes are, seconds. */
  readonly find: number;
}

async function restored(repository: Repository, snapshot: Snapshot, options: RestoreLook): Promise<Looked> {
  const { context, used, find } = options;
  await using scratch = await scratchBelow(options.scratch);
  const folder = rawPathOf(`${scratch.path}/restored`);
  const begunMs = context.clock.monotonicMs();
  const { failures, wrong } = await restoreInto(folder, repository, snapshot, options);
  const fetch = (context.clock.monotonicMs() - begunMs) / 1000;
  if (failures > 0) {
    const verdict = await verdictOfFailures(repository, used, context, wrong.join('; '));
    return { verdict, checks: [], stages: { find, fetch } };
  }
  const asked = await askRestored(folder, repository, snapshot, options);
  const seen = await broughtUp(scratch, options);
  const stages = { find, fetch, start: seen.stages.start, check: asked.seconds + seen.stages.check };
  return { verdict: { state: 'verified' }, checks: [...asked.checks, ...seen.checks], stages };
}

/** What failed is told to whoever listens, and the first of it is kept. */
async function restoreInto(
  folder: RawPath,
  repository: Repository,
  { tree }: Snapshot,
  { context, select }: RestoreLook,
): Promise<{ readonly failures: number; readonly wrong: readonly string[] }> {
  const wrong: string[] = [];
  const restoring = restoreTree({
    repository,
    tree,
    target: folder,
    options: { ...writing, select },
    signal: context.signal,
    listener: (event) => {
      if (event.kind === 'warning' && wrong.length < 5) wrong.push(`${event.item}: ${event.message}`);
      context.listener(event);
    },
  });
  try {
    const { failures } = await restoring;
    return { failures, wrong };
  } catch (error) {
    if (!(error instanceof DiskFull)) throw error;
    return { failures: 1, wrong: [...wrong, error.message] };
  }
}

/** What the policy asks of files as they were restored. */
async function askRestored(
  folder: RawPath,
  repository: Repository,
  snapshot: Snapshot,
  { verification, context, select }: RestoreLook,
): Promise<{ readonly checks: readonly CheckResult[]; readonly seconds: number }> {
  const begunMs = context.clock.monotonicMs();
  const ofFiles = verification.checks.filter((check) => !needsSandbox(check));
  const checks = await askFiles(ofFiles, { repository, snapshot, folder, select, context });
  return { checks, seconds: (context.clock.monotonicMs() - begunMs) / 1000 };
}

/** What is brought up of it in a sandbox, and asked there. */
async function broughtUp({ path }: Scratch, options: RestoreLook): ReturnType<typeof lookInside> {
  const { verification, surroundings, random, context } = options;
  return await lookInside({
    ...surroundings,
    extent: extentOf(options),
    depth: { of: verification.do === 'restore' ? 'all' : 'sample', tables: verification.tables, random },
    limits: await limitsOf(surroundings.limits, path),
    checks: verification.checks.filter(needsSandbox),
    scratch: path,
    restored: `${path}/restored`,
    context,
  });
}

const writing: Omit<RestoreOptions, 'select'> = {
  overwrite: 'always',
  extras: 'keep',
  mode: 'write',
  holes: 'sparse',
  verify: 'read-back',
  selectXattr: 'all',
};

/** A restore that failed accuses the copy only where the copy itself can't be read; else it is this host that lacks something. */
async function verdictOfFailures(
  repository: Repository,
  used: Blobs,
  context: JobContext,
  reason: string,
): Promise<Verdict> {
  try {
    await assertData(repository, used, context);
  } catch (error) {
    context.signal.throwIfAborted();
    return verdictOfError(error);
  }
  return {
    state: 'could not verify',
    reason: `the data is whole, and this host could not restore all of it: ${reason}`,
  };
}

/** So many files, each as likely as any other (reservoir sampling: one pass, bounded memory). */
async function sampleOf(
  repository: Repository,
  { tree }: Snapshot,
  files: number,
  random: () => number,
): Promise<Select> {
  const chosen: RawPath[] = [];
  let seen = 0;
  for await (const item of walkTree(repository, tree)) {
    if (item.kind === 'unreadable') throw item.error;
    if (item.node.type !== 'file') continue;
    seen += 1;
    if (chosen.length < files) chosen.push(item.path);
    else {
      const at = Math.floor(random() * seen);
      if (at < files) chosen[at] = item.path;
    }
  }
  const wanted = new Set(chosen);
  const above = new Set(chosen.flatMap(foldersAbove));
  return (location) => ({ selected: wanted.has(location), childrenMayBe: above.has(location) });
}

function foldersAbove(path: RawPath): readonly RawPath[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_, at) => `/${parts.slice(0, at + 1).join('/')}` as RawPath);
}
