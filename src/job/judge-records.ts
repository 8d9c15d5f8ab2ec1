import { readHeads, type SignedHead, type ToldHeads } from '../record/heads.ts';
import { wholeRepository } from '../record/record.ts';
import { verifyChains, type ChainVerdict, type Verdict } from '../record/verdict.ts';
import type { Repository } from '../repository/repository.ts';
import type { ComponentContext } from './component.ts';
import { VerificationLog, type OverdueVerification } from './overdue.ts';
import { answersOf, namesOfKeepers, warn } from './record-keepers.ts';
import { isStranger } from '../record/walk.ts';
import { trustedSigners } from './introductions.ts';
import { pinFirstSeen, type SignersOf } from './trust.ts';

export interface JudgedChain {
  readonly component: string;
  readonly writer: string;
  /** By its name in the policy. */
  readonly repository: string;
  /** How many records are right, from the first. */
  readonly right: number;
  readonly verdict: Verdict;
}

export interface RecordsVerdict {
  readonly chains: readonly JudgedChain[];
  /** Repositories that could not be asked, and heads that could not be read: each was told as a warning. */
  readonly unknown: number;
  /** Verifications of the policy that nobody has recorded in time, as far as records are right. */
  readonly overdue: readonly OverdueVerification[];
}

export interface JudgeOptions {
  /** Empty: of all. */
  readonly components: readonly string[];
}

interface Asked {
  readonly name: string;
  readonly repository: Repository;
  readonly told: ToldHeads;
}

/**
 * Judges the chains of a policy's repositories, each by what the others were told. Everything is read anew: what this
 * host remembers of records has no say in it.
 */
export async function judgeRecords(context: ComponentContext, options: JudgeOptions): Promise<RecordsVerdict> {
  await using opened = new AsyncDisposableStack();
  const names = namesOfKeepers(context.policy);
  // All heads before any chain: what is appended meanwhile is told to others later.
  const asked = await answersOf(context, names, async (name) => {
    const repository = opened.use(await context.access(name).open());
    return { name, repository, told: await readHeads(repository) };
  });
  const home = new Map(asked.map((one) => [one.name, one]));
  const unread: string[] = [];
  const signersOf = await trustedSigners(context, (name) => unread.push(name));
  const verifications = new VerificationLog(context.clock.nowNs());
  const how = { asked, signersOf, verifications, components: withPolicy(options.components) };
  const judged = await answersOf(context, [...home.keys()], async (name) => {
    const one = home.get(name);
    return one === undefined ? [] : await judge(one, how);
  });
  const unreadable = asked.flatMap(({ name, told }) =>
    told.unreadable.map((head) => ({ ...head, name: `${name}: ${head.name}` })),
  );
  for (const { name, reason } of unreadable) warn(context, name, reason);
  const isMeant = ({ component }: { readonly component: string }): boolean =>
    options.components.length === 0 || options.components.includes(component);
  const isWhole = asked.length === names.length && unread.length === 0;
  const all = isWhole ? judged.flat() : judged.flat().map(withoutIntroducer);
  const chains = await pinFirstSeen(context, all, signersOf);
  return {
    chains: [...chains, ...gone(chains, asked, signersOf)].filter(isMeant),
    unknown: names.length - judged.length + unreadable.length,
    overdue: verifications.overdue(context.policy).filter(isMeant),
  };
}

/** Whoever introduced the key may have done so in a repository that can't be asked now. */
function withoutIntroducer<T extends ChainVerdict>(chain: T): T {
  const { verdict } = chain;
  if (verdict.state !== 'broken' || !isStranger(verdict)) return chain;
  const reason = `${verdict.name}: ${verdict.reason}; not every repository could be asked`;
  return { ...chain, verdict: { state: 'unknown', reason } };
}

/** When verifications were changed is recorded under the policy. */
function withPolicy(components: readonly string[]): readonly string[] {
  return components.length === 0 ? [] : [...components, wholeRepository];
}

interface How {
  readonly asked: readonly Asked[];
  readonly components: readonly string[];
  readonly signersOf: SignersOf;
  readonly verifications: VerificationLog;
}

type Judged = ChainVerdict & Pick<JudgedChain, 'repository'>;

async function judge(
  { name, repository }: Asked,
  { asked, components, signersOf, verifications }: How,
): Promise<readonly Judged[]> {
  const others = asked.filter((one) => one.name !== name && !isSamePlace(one.repository, repository));
  const verdicts = await verifyChains(repository, {
    signersOf,
    onRecord: (record) => verifications.add(record),
    heads: others.length === 0 ? undefined : others.flatMap(({ told }) => told.heads),
    ...(components.length === 0 ? {} : { components }),
  });
  return verdicts.map((verdict) => ({ ...verdict, repository: name }));
}

/** Under two names: whoever cuts a chain there cuts what was told of it, too. */
function isSamePlace(one: Repository, other: Repository): boolean {
  return one.config.id === other.config.id && one.storage.url === other.storage.url;
}

/**
 * Chains that repositories were told of, and that don't stand where they stood. Of mirrors, which have one ID, each is a
 * place where it may have stood.
 */
function gone(chains: readonly JudgedChain[], asked: readonly Asked[], signersOf: SignersOf): readonly JudgedChain[] {
  const homes = Map.groupBy(asked, ({ repository }) => repository.config.id);
  const known = new Set(chains.map((chain) => `${chain.repository} ${chain.component}/${chain.writer}`));
  const missing = new Map<string, JudgedChain>();
  for (const { name: teller, told } of asked)
    for (const head of told.heads.toSorted((a, b) => a.sequence - b.sequence)) {
      const isBelieved = signersOf(head.writer)?.includes(head.signer) ?? true;
      const names = homes.get(head.repository)?.map(({ name }) => name) ?? [undefined];
      const lacks = (home: string | undefined): boolean =>
        !known.has(`${home ?? head.repository} ${head.component}/${head.writer}`);
      const mirror = names.find((home) => !lacks(home));
      for (const home of names.filter(lacks))
        missing.set(
          `${home ?? head.repository} ${head.component}/${head.writer}`,
          goneChain(head, { home, teller, isBelieved, mirror }),
        );
    }
  return [...missing.values()];
}

interface Gone {
  readonly home: string | undefined;
  readonly teller: string;
  readonly isBelieved: boolean;
  /** Another repository of the same ID, which has the chain. */
  readonly mirror: string | undefined;
}

function goneChain(
  { component, writer, sequence, repository }: SignedHead,
  { home, teller, isBelieved, mirror }: Gone,
): JudgedChain {
  const chain = { component, writer, right: 0 };
  if (home === undefined) {
    const reason = `${teller} was told of ${sequence} records in repository ${repository.slice(0, 8)}, which could not be asked`;
    return { ...chain, repository: repository.slice(0, 8), verdict: { state: 'unknown', reason } };
  }
  if (mirror !== undefined) {
    const reason = `it holds none of the ${sequence} records that ${mirror}, a mirror of it, has: can’t tell whether it ever did`;
    return { ...chain, repository: home, verdict: { state: 'unknown', reason } };
  }
  if (!isBelieved) {
    const reason = `${teller} was told of ${sequence} records by a stranger, and there are none`;
    return { ...chain, repository: home, verdict: { state: 'unknown', reason } };
  }
  const reason = `all of its records are gone: ${teller} was told of ${sequence}`;
  return { ...chain, repository: home, verdict: { state: 'broken', name: `${component}/${writer}`, reason } };
}
