import type { Extent } from '../log/log.ts';
import { openLog, streamsOf } from '../log/store.ts';
import { planWindow, type Base } from '../log/window.ts';
import type { RecoverablePoint } from '../point/point.ts';
import type { ComponentContext } from './component.ts';
import { recorded } from './component.ts';
import { listPoints } from './points.ts';
import { sureNow } from './sure-now.ts';

export interface ExpiredLog {
  readonly repository: string;
  readonly stream: string;
  /** What no moment of the window needs: it was removed, or would be. */
  readonly removed: readonly Extent[];
}

/**
 * Removes from each place of a component's log what its window has passed. Where the bases of the component are not known
 * in full, or the time is not sure, nothing is removed: one that nobody saw may need it, and a clock that runs ahead ends
 * every window.
 */
export async function expireLog(context: ComponentContext, component: string): Promise<readonly ExpiredLog[]> {
  const places = Object.entries(context.policy.components[component]?.log?.to ?? {});
  if (places.length === 0) return [];
  const { points, unknown } = await listPoints(context, [component]);
  const nowNs = await sureNow(context, component);
  if (unknown.length > 0 || nowNs === undefined) return [];
  const expired: ExpiredLog[] = [];
  for (const [repository, { window }] of places) {
    const oldestNs = nowNs - BigInt(window.ms) * 1_000_000n;
    expired.push(...(await expireIn(context, { component, repository, points, oldestNs })));
  }
  return expired;
}

interface Place {
  readonly component: string;
  readonly repository: string;
  readonly points: readonly RecoverablePoint[];
  readonly oldestNs: bigint;
}

async function expireIn(context: ComponentContext, place: Place): Promise<readonly ExpiredLog[]> {
  const { component, repository, points, oldestNs } = place;
  await using opened = await context.access(repository).open();
  const expired: ExpiredLog[] = [];
  for (const stream of await streamsOf(opened, component)) {
    const store = openLog(opened, { component, stream });
    const bases = points.flatMap(({ timeNs, log }): Base[] => (log?.stream === stream ? [{ timeNs, ...log }] : []));
    const { remove } = planWindow(await store.list(), bases, oldestNs);
    if (remove.length === 0) continue;
    expired.push({ repository, stream, removed: remove });
    if (context.mode === 'dry-run') continue;
    const about = { kind: 'forget', component, repository } as const;
    const data = { outcome: 'done', log: stream, removed: remove.length };
    await recorded(
      context,
      about,
      async () => await store.remove(remove),
      () => data,
    );
  }
  return expired;
}
