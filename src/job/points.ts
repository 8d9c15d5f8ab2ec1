import { HoldfastError } from '../errors/error.ts';
import { placesOf } from '../policy/policy.ts';
import { pointsOf, type FoundIn, type RecoverablePoint } from '../point/point.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { listSnapshots, type SnapshotFilter } from '../snapshot/snapshots.ts';
import { contextIn, type ComponentContext } from './component.ts';
import { inRepository } from './job.ts';

export interface PointsOutcome {
  /** Oldest first. */
  readonly points: readonly RecoverablePoint[];
  /** Repositories whose points are not known, each told as a warning. */
  readonly unknown: readonly { readonly repository: string; readonly error: HoldfastError }[];
}

/** The recoverable points of components, from every repository that their rules name. */
export async function listPoints(context: ComponentContext, components: readonly string[]): Promise<PointsOutcome> {
  const found: FoundIn[] = [];
  const unknown: { readonly repository: string; readonly error: HoldfastError }[] = [];
  for (const repository of repositoriesOf(context, components)) {
    try {
      found.push({ repository, snapshots: await snapshotsIn(context, repository, components) });
    } catch (error) {
      if (!(error instanceof HoldfastError) || context.signal.aborted) throw error;
      const message = `its points are not known: ${error.message}`;
      context.listener({ kind: 'warning', during: 'points', item: repository, message });
      unknown.push({ repository, error });
    }
  }
  return { points: pointsOf(found), unknown };
}

function repositoriesOf({ policy }: ComponentContext, components: readonly string[]): readonly string[] {
  const rules = components.flatMap((name) => Object.values(policy.components[name]?.backups ?? {}));
  return [...new Set(rules.flatMap(placesOf))];
}

async function snapshotsIn(
  context: ComponentContext,
  repository: string,
  components: readonly string[],
): Promise<readonly Snapshot[]> {
  const filter: SnapshotFilter = { hosts: [], paths: [], tagLists: components.map((name) => [`hf.component=${name}`]) };
  return await inRepository(contextIn(context, repository), 'read', async (opened) =>
    (await listSnapshots(opened, filter)).flatMap((one) => {
      if (one.kind === 'snapshot') return [one.snapshot];
      const message = `snapshot ${one.name} can’t be read: ${one.error.message}`;
      context.listener({ kind: 'warning', during: 'points', item: repository, message });
      return [];
    }),
  );
}
