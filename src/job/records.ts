import { readHeads, verifyChains, type ChainVerdict, type ToldHeads } from '../record/verdict.ts';
import type { RecordKind, StoredRecord } from '../record/record.ts';
import type { Repository } from '../repository/repository.ts';
import { holdsOwnKeys } from '../policy/kinds-of-repositories.ts';
import type { ComponentContext } from './component.ts';
import { fromEach } from './from-each.ts';

export interface RecordsOptions {
  readonly components: readonly string[];
  readonly kinds: readonly RecordKind[];
  readonly sinceNs?: bigint;
}

export interface RecordsOutcome {
  /** Oldest first. Of a broken chain those before the first wrong one. */
  readonly records: readonly StoredRecord[];
  readonly verdicts: readonly JudgedChain[];
  /** Repositories that could not be asked, and heads that could not be read: each was told as a warning. */
  readonly unknown: number;
}

export interface JudgedChain extends Omit<ChainVerdict, 'records'> {
  readonly repository: string;
  /** How many records are right, from the first. */
  readonly right: number;
}

/** Reads all records of a policy's repositories and judges their chains, each by what the other repositories were told. */
export async function readRecords(context: ComponentContext, options: RecordsOptions): Promise<RecordsOutcome> {
  const { policy } = context;
  const names = Object.entries(policy.repositories).flatMap(([name, one]) => (holdsOwnKeys(one) ? [name] : []));
  await using opened = new AsyncDisposableStack();
  const repositories = new Map<string, Repository>();
  const heads = new Map<string, ToldHeads>();
  let unknown = 0;
  const ask = async (name: string): Promise<readonly [Repository, ToldHeads]> => {
    const repository = opened.use(await context.access(name).open());
    return [repository, await readHeads(repository)];
  };
  for (const { repository: name, value, error } of await fromEach(names, ask, context)) {
    if (value !== undefined) {
      repositories.set(name, value[0]);
      heads.set(name, value[1]);
    }
    if (error === undefined) continue;
    unknown += 1;
    context.listener({ kind: 'warning', during: 'records', item: name, message: error.message });
  }
  for (const [name, { unreadable }] of heads) {
    unknown += unreadable.length;
    for (const { name: head, reason } of unreadable)
      context.listener({ kind: 'warning', during: 'records', item: `${name}: ${head}`, message: reason });
  }
  const chains = await judged(context, repositories, heads);
  return { ...filtered(chains, options), unknown };
}

async function judged(
  { policy }: ComponentContext,
  repositories: ReadonlyMap<string, Repository>,
  heads: ReadonlyMap<string, ToldHeads>,
): Promise<readonly (ChainVerdict & { readonly repository: string })[]> {
  const chains: (ChainVerdict & { readonly repository: string })[] = [];
  for (const [repository, opened] of repositories) {
    const others = [...heads].filter(([name]) => name !== repository).flatMap(([, told]) => told.heads);
    const told = heads.size > 1 ? others : undefined;
    const verdicts = await verifyChains(opened, { signers: policy.signers, heads: told });
    chains.push(...verdicts.map((verdict) => ({ ...verdict, repository })));
  }
  return [...chains, ...gone(chains, heads)];
}

/** Chains that repositories were told of, and that stand in none. */
function gone(
  chains: readonly ChainVerdict[],
  heads: ReadonlyMap<string, ToldHeads>,
): readonly (ChainVerdict & { readonly repository: string })[] {
  const known = new Set(chains.map(({ component, writer }) => `${component}/${writer}`));
  const missing = [...heads].flatMap(([repository, told]) =>
    told.heads.map((head) => ({ ...head, repository, name: `${head.component}/${head.writer}` })),
  );
  const each = new Map(missing.filter(({ name }) => !known.has(name)).map((head) => [head.name, head]));
  return [...each.values()].map(({ component, writer, repository, name, sequence }) => {
    const reason = `all of its records are gone: ${repository} was told of ${sequence}`;
    return { component, writer, repository, records: [], verdict: { state: 'broken', name, reason } };
  });
}

function filtered(
  chains: readonly (ChainVerdict & { readonly repository: string })[],
  { components, kinds, sinceNs = 0n }: RecordsOptions,
): Pick<RecordsOutcome, 'records' | 'verdicts'> {
  const meant = chains.filter(({ component }) => components.length === 0 || components.includes(component));
  const records = meant
    .flatMap((chain) => chain.records)
    .filter(({ kind, timeNs }) => (kinds.length === 0 || kinds.includes(kind)) && timeNs >= sinceNs);
  return {
    records: records.toSorted((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0)),
    verdicts: meant.map(({ records: right, ...chain }) => ({ ...chain, right: right.length })),
  };
}
