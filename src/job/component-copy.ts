import type { FileId } from '../bytes/ids.ts';
import { localZone } from '../clock/zone.ts';
import { applyPolicy } from '../retention/policy.ts';
import type { KeepPolicy } from '../retention/keep.ts';
import type { CopyPlan } from '../snapshot/copy.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { identityOf } from '../point/point.ts';
import { listSnapshots, type Found } from '../snapshot/snapshots.ts';
import { contextIn, recorded, snapshotsOf, type ComponentContext, type RuleOf } from './component.ts';
import { copy, type CopyOutcome } from './copy.ts';
import { inRepository } from './job.ts';

export interface CopyRuleOptions {
  readonly from: string;
  readonly to: string;
  readonly onPlan: (plan: CopyPlan) => void;
  readonly onCopied: (snapshot: Snapshot, id: FileId) => void;
}

/**
 * Brings the snapshots of a rule from one of its repositories to another: all that the other one lacks and would keep,
 * so that a repository that was out of reach catches up, and what its retention removed doesn't come back. Undefined
 * where nothing is missing.
 */
export async function copyRule(
  context: ComponentContext,
  of: RuleOf,
  options: CopyRuleOptions,
): Promise<CopyOutcome | undefined> {
  const { from, to } = options;
  const about = { kind: 'copy', component: of.name, repository: to } as const;
  const copying = async (): Promise<CopyOutcome | undefined> => await run(context, of, options);
  return await recorded(context, about, copying, (outcome) => ({
    outcome: outcome === undefined || outcome.lost.length + outcome.unreadable === 0 ? 'done' : 'done in part',
    rule: of.ruleName,
    from,
    copied: outcome?.copied ?? 0,
    bytes: outcome?.storedBytes ?? 0,
  }));
}

async function run(
  context: ComponentContext,
  of: RuleOf,
  { from, to, onPlan, onCopied }: CopyRuleOptions,
): Promise<CopyOutcome | undefined> {
  const there = await snapshotsIn(context, of, from);
  const present = await snapshotsIn(context, of, to);
  const keep = of.rule.to[to]?.keep;
  const missing = keep === undefined ? [] : lacking(there, present, keep, context.clock.nowNs());
  if (missing.length === 0) return undefined;
  return await copy(contextIn(context, to), {
    from: context.access(from),
    names: missing.map(({ id }) => id),
    filter: snapshotsOf(of),
    now: Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO('UTC'),
    writer: context.writer,
    mode: context.mode,
    onPlan,
    onCopied,
  });
}

/** Of what is there and not present, what retention would keep were all of it present. */
function lacking(
  there: readonly Snapshot[],
  present: readonly Snapshot[],
  keep: KeepPolicy,
  nowNs: bigint,
): readonly Snapshot[] {
  const known = new Set(present.map(identityOf));
  const candidates = there.filter((snapshot) => !known.has(identityOf(snapshot)));
  const kept = new Set(applyPolicy([...present, ...candidates], keep, { nowNs, zone: localZone() }).keep);
  return candidates.filter((snapshot) => kept.has(snapshot));
}

async function snapshotsIn(context: ComponentContext, of: RuleOf, name: string): Promise<readonly Snapshot[]> {
  return await inRepository(contextIn(context, name), 'read', async (repository) =>
    (await listSnapshots(repository, snapshotsOf(of))).map(readable),
  );
}

function readable(found: Found): Snapshot {
  if (found.kind === 'failed') throw found.error;
  return found.snapshot;
}
