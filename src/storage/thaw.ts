import type { Clock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import { limiter } from '../flow/limiter.ts';
import type { Archive, ArchivedObject, ThawWishes, UsualTime } from './archive.ts';
import type { Storage } from './storage.ts';
import { thawed } from './thaw/waiting.ts';

/** What has to be thawed before some objects can be read: a value, made anew after every interruption. */
export interface ThawPlan {
  /** The storage's address. */
  readonly url: string;
  readonly wishes: ThawWishes;
  /** To be asked for. */
  readonly toRetrieve: readonly ArchivedObject[];
  /** Readable, but not for much longer: to be asked for, too, and not waited for. */
  readonly toKeep: readonly ArchivedObject[];
  /** Asked for before, and still on its way. */
  readonly underWay: readonly ArchivedObject[];
  /** Readable for long enough. */
  readonly thawed: readonly ArchivedObject[];
  /** By the vendor's word, for all that is waited for; undefined where it says nothing of one of the classes. */
  readonly usualTime: UsualTime | undefined;
}

export interface ThawContext {
  readonly clock: Clock;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

type ArchivedStorage = Pick<Storage, 'archive' | 'url'>;

/** Requests at once. */
const atOnce = 10;

/** So many objects are asked for one by one; of more, the storage's list tells which are archived. */
const fewObjects = 100;

/** Whether anything below a prefix may be archived: where it may, or where the user speaks of it, a plan is worth making. */
export async function mayBeArchived(
  { archive }: ArchivedStorage,
  prefix: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (archive === undefined) return false;
  return archive.wishes.permission === 'given' || (await archive.probe(prefix, { signal })) === 'some';
}

/** What is archived among `keys`, which all stand below `prefix`; undefined where nothing is. Changes nothing. */
export async function planThaw(
  { archive, url }: ArchivedStorage,
  prefix: string,
  keys: ReadonlySet<string>,
  context: ThawContext,
): Promise<ThawPlan | undefined> {
  if (archive === undefined || keys.size === 0) return undefined;
  const candidates = keys.size <= fewObjects ? [...keys] : await archivedAmong(archive, prefix, keys, context);
  const found = await statesOf(archive, candidates, context);
  if (found.length === 0) return undefined;
  const { wishes } = archive;
  const nowNs = context.clock.nowNs();
  const groups = Map.groupBy(found, (object) => groupOf(object, wishes, nowNs));
  const of = (group: Group): readonly ArchivedObject[] => groups.get(group) ?? [];
  const [toRetrieve, toKeep, underWay] = [of('toRetrieve'), of('toKeep'), of('underWay')];
  const usualTime = longestTime(archive, [...toRetrieve, ...underWay]);
  return { url, wishes, toRetrieve, toKeep, underWay, thawed: of('thawed'), usualTime };
}

/**
 * Asks for what the plan names and waits until all of it can be read. What was asked for stays asked for, whatever ends
 * the wait: a further plan finds it. 'storage-timeout' once the user's patience is over.
 */
export async function executeThaw(
  { archive, url }: ArchivedStorage,
  plan: ThawPlan,
  context: ThawContext,
): Promise<void> {
  if (archive === undefined) throw new HoldfastError('internal', `${url} has no archive to thaw from`);
  assertTiers(archive, plan);
  const { listener, signal } = context;
  const toAsk = [...plan.toRetrieve, ...plan.toKeep];
  const limit = limiter(atOnce);
  let doneItems = 0;
  await Promise.all(
    toAsk.map(({ key }) =>
      limit(async () => {
        await archive.thaw(key, { signal });
        doneItems += 1;
        const progress = { doneBytes: 0, doneItems, totalItems: toAsk.length };
        listener({ kind: 'progress', phase: 'asking the archive', ...progress });
      }, signal),
    ),
  );
  await thawed(archive, plan, context);
}

/** Nothing is asked for where a part of it would be refused. */
function assertTiers(archive: Archive, { toRetrieve, wishes: { tier } }: ThawPlan): void {
  for (const { storageClass } of toRetrieve) {
    const known = archive.usualTime(storageClass, 'Standard') !== undefined;
    if (!known || archive.usualTime(storageClass, tier) !== undefined) continue;
    throw new HoldfastError('usage', `objects of the class ${storageClass} can't be thawed in the tier ${tier}`);
  }
}

async function archivedAmong(
  archive: Archive,
  prefix: string,
  keys: ReadonlySet<string>,
  { signal }: ThawContext,
): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const key of archive.list(prefix, { signal })) if (keys.has(key)) found.push(key);
  return found;
}

async function statesOf(
  archive: Archive,
  keys: readonly string[],
  { listener, signal }: ThawContext,
): Promise<readonly ArchivedObject[]> {
  const limit = limiter(atOnce);
  let doneItems = 0;
  const found = await Promise.all(
    keys.map((key) =>
      limit(async () => {
        const object = await archive.stateOf(key, { signal });
        doneItems += 1;
        listener({
          kind: 'progress',
          phase: 'looking into the archive',
          doneBytes: 0,
          doneItems,
          totalItems: keys.length,
        });
        return object;
      }, signal),
    ),
  );
  return found.filter((object) => object !== undefined);
}

type Group = 'toRetrieve' | 'toKeep' | 'underWay' | 'thawed';

/** A copy that has lived for half of the days is asked for anew: what is read last should still find it. */
function groupOf({ state }: ArchivedObject, { days }: ThawWishes, nowNs: bigint): Group {
  if (state.kind === 'thawing') return 'underWay';
  if (state.kind === 'archived') return 'toRetrieve';
  const neededNs = (BigInt(days) * 86_400_000_000_000n) / 2n;
  return state.untilNs !== undefined && state.untilNs < nowNs + neededNs ? 'toKeep' : 'thawed';
}

function longestTime(archive: Archive, awaited: readonly ArchivedObject[]): UsualTime | undefined {
  const classes = [...new Set(awaited.map(({ storageClass }) => storageClass))];
  const times = classes.map((one) => archive.usualTime(one, archive.wishes.tier));
  const known = times.filter((time) => time !== undefined);
  if (known.length < times.length) return undefined;
  const most = (pick: (time: UsualTime) => number): number => Math.max(0, ...known.map(pick));
  return { leastMs: most(({ leastMs }) => leastMs), mostMs: most(({ mostMs }) => mostMs) };
}
