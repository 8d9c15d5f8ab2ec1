import { HoldfastError } from '../errors/error.ts';
import { lineageOf, type Lineage } from '../log/cover.ts';
import type { History } from '../log/log.ts';
import { livingIn, reachesOf, type Base, type StreamHeld } from '../point/moment.ts';
import { isKnownBad, type RecoverablePoint } from '../point/point.ts';
import type { Following, Leader } from '../source/recovery.ts';
import type { ComponentContext } from './component.ts';
import { backupOf } from './find-replacement.ts';
import { assertFollowable } from './held-place.ts';
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

/**
 * The newest backup of the epoch that goes on: what was backed up of one that was left can follow nobody. Which epoch that is
 * the one who is followed knows best; what the log tells is asked where that one can't be. 'refused' or 'unreachable' where no
 * backup leads to it.
 */
export async function baseToFollow(
  context: ComponentContext,
  component: string,
  leader: Leader | undefined,
): Promise<BaseToFollow> {
  const alone = await backupOf(context, component, () => true);
  const { stream } = alone.log;
  if (leader !== undefined && leader.stream !== stream) throw anotherCluster(component, leader.stream, stream);
  const { [component]: of } = context.policy.components;
  const places = of === undefined ? [] : logPlaces(context, of);
  const { points } = await listPoints(context, [component]);
  if (places.length === 0) {
    const lineage = leader && lineageOf(leader.epoch, leader.histories);
    const base = lineage === undefined ? alone : newestOn(lineage, points, { component, stream });
    return { base, epochs: undefined, follows: undefined };
  }
  await using held = await openLogs(context, component, stream, places);
  const living = leader?.epoch ?? livingIn(held, points);
  if (leader === undefined || held.unread.has(leader.epoch))
    assertFollowable(component, held, { wanted: living === undefined ? [] : [living], followed: undefined });
  const lineage = living === undefined ? undefined : lineageOf(living, leader?.histories ?? held.histories);
  if (living === undefined || lineage === undefined) return { base: alone, epochs: undefined, follows: undefined };
  const reaches = reachesOf(points, held, { epoch: living });
  const base =
    (reaches.find((one) => !isKnownBad(one.base)) ?? reaches[0])?.base ??
    newestOn(lineage, points, { component, stream });
  if (leader !== undefined) assertLogOf(component, leader, { base, held });
  const epochs = { living, known: held.listing.histories };
  return { base, epochs, follows: whyFollowed(held, { lineage }, { living, leading: leader?.epoch }) };
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

interface Meant {
  readonly base: Pick<Base, 'log'>;
  readonly held: Pick<StreamHeld, 'histories'>;
}

/**
 * 'refused' where the log would lead elsewhere than the one who is followed stands: it catches up by the log first, and can't
 * turn back from what another wrote.
 */
export function assertLogOf(component: string, { epoch, histories }: Leader, { base, held }: Meant): void {
  const whence = (all: readonly History[]): History | undefined => all.find((one) => one.epoch === epoch);
  const [own, told] = [whence(histories), whence(held.histories)];
  if (base.log.epoch === epoch && told === undefined) return;
  if (own?.parent === told?.parent && own?.forkedAt === told?.forkedAt) return;
  throw told === undefined ? notHeld(component, epoch) : taken(component, epoch);
}

function notHeld(component: string, epoch: number): HoldfastError {
  return new HoldfastError(
    'refused',
    `${component}: the primary is on timeline ${epoch}, of which the log holds nothing yet`,
    {
      next: `A standby could end on another one: once the primary's log is stored, or \`holdfast backup ${component}\` is done, run the command again. Nothing was changed.`,
    },
  );
}

function taken(component: string, epoch: number): HoldfastError {
  const message = `${component}: the log holds a timeline ${epoch} that is another one than the primary’s`;
  return new HoldfastError('refused', message, {
    next: 'Two servers were promoted to that number: give one of both a component of its own. Nothing was changed.',
  });
}

function anotherCluster(component: string, found: string, stream: string): HoldfastError {
  return new HoldfastError(
    'refused',
    `${component}: the primary is cluster ${found}, and the newest backup is of ${stream}`,
    {
      next: `Set the address of the component, or its \`primary\`, right; after an upgrade run \`holdfast backup ${component}\` first. Nothing was changed.`,
    },
  );
}
