import type { Extent, LogStore, Piece } from '../log/log.ts';
import { openLog, streamsOf } from '../log/store.ts';
import { planWindows, type StreamFacts, type Window } from '../log/window.ts';
import { isBad, isKnownBad, type PointCopy, type RecoverablePoint } from '../point/point.ts';
import type { ComponentContext } from './component.ts';
import { recorded } from './component.ts';
import { listPoints } from './points.ts';
import { sureNow } from './sure-now.ts';
import { basesOf, standingOf, streamFacts, windowAt, type PointBase } from './window-facts.ts';

export interface ExpiredLog {
  readonly repository: string;
  readonly stream: string;
  /** What no moment of the window needs: it was removed, or would be. */
  readonly removed: readonly Extent[];
  /** Of segments that are whole by now, or were left open by an epoch that was left long ago. */
  readonly pieces: readonly Piece[];
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
    expired.push(...(await expireIn(context, { component, repository, points, window: windowAt(nowNs, window.ms) })));
  }
  return expired;
}

interface Place {
  readonly component: string;
  readonly repository: string;
  readonly points: readonly RecoverablePoint[];
  readonly window: Window;
}

async function expireIn(context: ComponentContext, place: Place): Promise<readonly ExpiredLog[]> {
  const { component, repository, points, window } = place;
  await using opened = await context.access(repository).open();
  const expired: ExpiredLog[] = [];
  for (const stream of await streamsOf(opened, component)) {
    const store = openLog(opened, { component, stream });
    const bases = basesOf(points, stream);
    const facts = await streamFacts(store, bases, standingOf(points, stream));
    const plan = planWindows(facts, bases, betterOf(bases, repository), window);
    if (plan.lacking.length > 0) tellLacking(context, place, plan.lacking);
    const pieces = [...plan.pieces, ...covered(facts).filter((piece) => !plan.pieces.includes(piece))];
    if (plan.remove.length === 0 && pieces.length === 0) continue;
    expired.push({ repository, stream, removed: plan.remove, pieces });
    if (context.mode === 'dry-run') continue;
    const about = { kind: 'forget', component, repository } as const;
    const data = { outcome: 'done', log: stream, removed: plan.remove.length, pieces: pieces.length };
    await recorded(
      context,
      about,
      async () => await remove(store, facts, plan.remove, pieces),
      () => data,
    );
  }
  return expired;
}

function tellLacking(
  { listener }: ComponentContext,
  { component, repository }: Place,
  epochs: readonly number[],
): void {
  const whose = epochs.length === 1 ? 'timeline' : 'timelines';
  const message = `nothing of its log in ${repository} is removed: whence ${whose} ${epochs.join(', ')} came is not held there`;
  listener({ kind: 'warning', during: 'forget', item: component, message });
}

/**
 * Beside all: those that nobody found wrong, and those that stand beside the log, without which others may be out of reach.
 * What was found wrong still brings back what no other does: it makes no window shorter, and the log of an older one stays.
 */
function betterOf(bases: readonly PointBase[], repository: string): readonly (readonly PointBase[])[] {
  const heldBy = (isMeant: (copy: PointCopy) => boolean): readonly PointBase[] =>
    bases.filter(({ point }) => point.copies.some((copy) => copy.repository === repository && isMeant(copy)));
  const beside = [heldBy(() => true), heldBy((copy) => !isBad(copy))].filter(({ length }) => length > 0);
  return [bases.filter(({ point }) => !isKnownBad(point)), ...beside];
}

/** A kill came before they were removed, or nobody streams this epoch any more. */
function covered({ listing: { segments, pieces } }: StreamFacts): readonly Piece[] {
  const whole = new Set(segments.map(({ epoch, from }) => `${epoch} ${from}`));
  return pieces.filter(({ segment: { epoch, from } }) => whole.has(`${epoch} ${from}`));
}

/** A segment that stays is read before its pieces go: they might be the only right copy. */
async function remove(
  store: LogStore,
  { listing }: StreamFacts,
  extents: readonly Extent[],
  pieces: readonly Piece[],
): Promise<void> {
  const goes = new Set(extents);
  const beside = new Set(pieces.map(({ segment: { epoch, from } }) => `${epoch} ${from}`));
  for (const one of listing.segments)
    if (!goes.has(one) && beside.has(`${one.epoch} ${one.from}`)) await store.get(one);
  await store.removePieces(pieces);
  await store.remove(extents);
}
