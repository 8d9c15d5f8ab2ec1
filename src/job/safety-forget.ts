import { localZone } from '../clock/zone.ts';
import { placesOf } from '../policy/policy.ts';
import type { StoredRecord } from '../record/record.ts';
import { verifyChains } from '../record/verdict.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { anySnapshot, listSnapshots } from '../snapshot/snapshots.ts';
import { forgetData } from './component-forget.ts';
import { contextIn, recorded, type ComponentContext } from './component.ts';
import { forget, type ForgetJobOptions, type ForgetOutcome } from './forget.ts';
import { trustedSigners } from './introductions.ts';
import { inRepository } from './job.ts';
import { homesOf } from './recorder.ts';
import { safetyTagOf } from './safety-backup.ts';
import { sureNow } from './sure-now.ts';

/** A safety backup outlives the restore that it was made for: this long after it was confirmed or undone. */
export const safetyKeptDays = 30;

export interface ForgetSafetyOptions {
  readonly component: string;
  readonly repository: string;
  /** Told what is going to be removed, before it is. */
  readonly onPlan: (snapshots: readonly Snapshot[]) => void;
}

/** The repositories of a component that may hold safety backups. */
export function safetyPlacesOf({ policy }: ComponentContext, component: string): readonly string[] {
  const rules = Object.values(policy.components[component]?.backups ?? {});
  return [...new Set(rules.flatMap(placesOf))].filter((place) => policy.repositories[place] !== undefined);
}

/**
 * Removes safety backups whose restore in place was over `safetyKeptDays` ago, as the component's records tell: whose
 * plan nobody confirmed or undid stays. Undefined where there is none to remove.
 */
export async function forgetSafety(
  context: ComponentContext,
  { component, repository, onPlan }: ForgetSafetyOptions,
): Promise<ForgetOutcome | undefined> {
  const found = await safetyBackupsIn(context, repository, component);
  if (found.length === 0) return undefined;
  const ended = plansEnded(await recordsOf(context, component));
  const nowNs = await sureNow(context, component);
  if (nowNs === undefined) return undefined;
  const beforeNs = nowNs - BigInt(safetyKeptDays) * 86_400_000_000_000n;
  const old = found.filter((snapshot) => {
    const endedNs = ended.get(planOf(snapshot));
    return endedNs !== undefined && endedNs < beforeNs;
  });
  if (old.length === 0) return undefined;
  onPlan(old);
  return await removed(context, { component, repository }, old);
}

async function safetyBackupsIn(
  context: ComponentContext,
  repository: string,
  component: string,
): Promise<readonly Snapshot[]> {
  const filter = { hosts: [], paths: [], tagLists: [[safetyTagOf(component)]] };
  return await inRepository(contextIn(context, repository), 'read', async (opened) =>
    (await listSnapshots(opened, filter)).flatMap((one) => (one.kind === 'snapshot' ? [one.snapshot] : [])),
  );
}

async function recordsOf(context: ComponentContext, component: string): Promise<readonly StoredRecord[]> {
  const [home] = homesOf(context.policy, component);
  if (home === undefined) return [];
  const records: StoredRecord[] = [];
  const signersOf = await trustedSigners(context);
  await inRepository(contextIn(context, home), 'read', async (opened) => {
    const onRecord = (record: StoredRecord): void => void records.push(record);
    await verifyChains(opened, { components: [component], signersOf, heads: undefined, onRecord });
  });
  return records;
}

/** When plans were confirmed or undone, by their hash. */
function plansEnded(records: readonly StoredRecord[]): ReadonlyMap<string, bigint> {
  return new Map(
    records.flatMap(({ kind, plan, data, timeNs }) =>
      kind === 'restore' && plan !== undefined && (data['outcome'] === 'confirmed' || data['outcome'] === 'undone')
        ? [[plan, timeNs]]
        : [],
    ),
  );
}

function planOf({ tags }: Snapshot): string {
  return tags.find((tag) => tag.startsWith('hf.plan='))?.slice('hf.plan='.length) ?? '';
}

async function removed(
  context: ComponentContext,
  { component, repository }: { readonly component: string; readonly repository: string },
  old: readonly Snapshot[],
): Promise<ForgetOutcome> {
  const about = { kind: 'forget', component, repository, data: { safety: true } } as const;
  const options: ForgetJobOptions = {
    names: old.map(({ id }) => id),
    filter: anySnapshot,
    now: Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO('UTC'),
    // Of no account where snapshots are named.
    rules: { policy: { counts: { last: 1 }, withinEach: {}, within: undefined, tags: [] }, groupBy, zone: localZone() },
    lastOfPaths: 'as the rules say',
    mode: context.mode,
    onPlan: () => undefined,
    onRemoved: () => undefined,
  };
  const run = async (): Promise<ForgetOutcome> => await forget(contextIn(context, repository), options);
  return await recorded(context, about, run, forgetData);
}

const groupBy = { host: false, paths: false, tags: false };
