import { HoldfastError } from '../errors/error.ts';
import { lineageOf, type Lineage } from '../log/cover.ts';
import { livingIn, reachesOf, type Base } from '../point/moment.ts';
import { isKnownBad, type RecoverablePoint } from '../point/point.ts';
import type { Following } from '../source/recovery.ts';
import type { ComponentContext } from './component.ts';
import { backupOf } from './find-replacement.ts';
import { whyFollowed } from './left-behind.ts';
import { logPlaces } from './log-places.ts';
import { listPoints } from './points.ts';
import { openLogs } from './read-log.ts';

/** From what one begins that is to follow what lives. */
export interface BaseToFollow {
  readonly base: Base;
  readonly epochs: Following['epochs'];
  /** Why just this epoch, for people; undefined where there is no other. */
  readonly follows: string | undefined;
}

/** The newest backup of the epoch that goes on: what was backed up of one that was left can follow nobody. */
export async function baseToFollow(context: ComponentContext, component: string): Promise<BaseToFollow> {
  const alone = await backupOf(context, component, () => true);
  const { [component]: of } = context.policy.components;
  const places = of === undefined ? [] : logPlaces(context, of);
  if (places.length === 0) return { base: alone, epochs: undefined, follows: undefined };
  await using held = await openLogs(context, component, alone.log.stream, places);
  const { points } = await listPoints(context, [component]);
  const living = livingIn(held, points);
  const lineage = living === undefined ? undefined : lineageOf(living, held.histories);
  if (living === undefined || lineage === undefined) return { base: alone, epochs: undefined, follows: undefined };
  const reaches = reachesOf(points, held, { epoch: living });
  const base =
    (reaches.find((one) => !isKnownBad(one.base)) ?? reaches[0])?.base ??
    newestOn(lineage, points, { component, stream: held.stream });
  const epochs = { living, known: held.listing.histories };
  return { base, epochs, follows: whyFollowed(held, { lineage }, { living }) };
}

/** One that no log leads on from: who follows takes the rest from whom it follows. 'unreachable' where each is of what was left. */
export function newestOn(
  { epochs }: Lineage,
  points: readonly RecoverablePoint[],
  { component, stream }: { readonly component: string; readonly stream: string },
): Base {
  const on = points.flatMap(({ log, ...point }) => {
    const isOn = epochs.some(({ epoch, to }) => epoch === log?.epoch && (to === undefined || log.to <= to));
    return log?.stream === stream && isOn ? [{ ...point, log }] : [];
  });
  const newest = on.findLast((one) => !isKnownBad(one)) ?? on.at(-1);
  if (newest !== undefined) return newest;
  throw new HoldfastError('unreachable', `${component}: no backup leads to timeline ${epochs[0]?.epoch}`, {
    next: `A standby made of an older one could never follow: run \`holdfast backup ${component}\`. Nothing was changed.`,
  });
}
