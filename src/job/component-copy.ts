import type { FileId } from '../bytes/ids.ts';
import { failingAt } from '../errors/error.ts';
import type { CopyPlan } from '../snapshot/copy.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { identityOf } from '../point/point.ts';
import { listSnapshots, type Found } from '../snapshot/snapshots.ts';
import {
  contextIn,
  identitiesOf,
  recorded,
  snapshotsOf,
  type ComponentContext,
  type NewRecord,
  type RuleOf,
} from './component.ts';
import { copy, type CopyOutcome } from './copy.ts';
import { copyPoints, elsewhere, type Carried } from './external.ts';
import { inRepository } from './job.ts';
import { lacking } from './lacking.ts';

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
): Promise<CopyOutcome | Carried | undefined> {
  const { from, to } = options;
  const about = { kind: 'copy', component: of.name, repository: to, data: { rule: of.ruleName, from } } as const;
  const copying = async (): Promise<CopyOutcome | Carried | undefined> => {
    const own = elsewhere(context, of, to);
    return own === undefined ? await run(context, of, options) : await copyPoints(own, context, of, options);
  };
  return await recorded(context, about, copying, dataOf);
}

function dataOf(outcome: CopyOutcome | Carried | undefined): NewRecord['data'] {
  if (outcome === undefined) return { outcome: 'done', copied: 0, bytes: 0 };
  if ('held' in outcome) {
    const { held, done, failed } = outcome;
    const points = identitiesOf(done);
    return { outcome: failed.length === 0 ? 'done' : 'done in part', held, copied: done.length, points };
  }
  const { lost, unreadable, copied, storedBytes, immutableUntilNs: ns } = outcome;
  const until = ns === undefined ? undefined : Temporal.Instant.fromEpochNanoseconds(ns).toString();
  return { outcome: lost.length + unreadable === 0 ? 'done' : 'done in part', copied, bytes: storedBytes, until };
}

async function run(
  context: ComponentContext,
  of: RuleOf,
  { from, to, onPlan, onCopied }: CopyRuleOptions,
): Promise<CopyOutcome | undefined> {
  const there = await failingAt(from, async () => await snapshotsIn(context, of, from));
  const present = await failingAt(to, async () => await snapshotsIn(context, of, to));
  const keep = of.rule.to[to]?.keep;
  const missing =
    keep === undefined ? [] : lacking(there, present, keep, { nowNs: context.clock.nowNs(), idOf: identityOf });
  if (missing.length === 0) return undefined;
  return await copy(contextIn(context, to), {
    from: context.access(from),
    places: { from, to },
    names: missing.map(({ id }) => id),
    filter: snapshotsOf(of),
    now: Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO('UTC'),
    writer: context.writer,
    mode: context.mode,
    onPlan,
    onCopied,
    lockMemory: context.cacheFolder,
  });
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
