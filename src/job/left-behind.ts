import type { Extent } from '../log/log.ts';
import type { MomentAsked, MomentPlan, Preferred, StreamHeld } from '../point/moment.ts';
import { heldEpochs } from './signs.ts';

interface Followed extends Pick<MomentPlan, 'lineage' | 'to'> {
  /** The epoch that goes on; undefined where nothing tells that, and it is taken for the highest. */
  readonly living?: number | undefined;
}

/**
 * What a log holds that all there is doesn't bring back, in words: it stands behind a hole, or on another epoch, which goes
 * on, and which nobody can tell the way to. undefined: nothing. A loss that is known is never passed over in silence.
 */
export function leftBehind(
  { listing }: Pick<StreamHeld, 'listing'>,
  { lineage: { epochs }, to, living }: Followed,
  positionText: (position: bigint) => string,
): string | undefined {
  const held: readonly Extent[] = [
    ...listing.segments,
    ...listing.pieces.map(({ segment: { epoch }, from, to: end }) => ({ epoch, from, to: end })),
  ];
  const followed = epochs[0]?.epoch ?? 0;
  const newest = living ?? held.reduce((highest, { epoch }) => Math.max(highest, epoch), followed);
  if (newest !== followed)
    return `timeline ${newest} is held too, and is not followed: its history is missing, or no backup leads to it`;
  const isOurs = ({ epoch, from }: Extent): boolean =>
    epochs.some((one) => one.epoch === epoch && (one.to === undefined || from < one.to));
  const behind = held.filter((one) => one.from >= to && isOurs(one)).map(({ from }) => from);
  const [next] = behind.toSorted((a, b) => (a < b ? -1 : 1));
  if (next === undefined) return undefined;
  return `the log is held from ${positionText(next)} on too, but nothing has it between there and ${positionText(to)}: what stands behind that is not brought back`;
}

interface Led {
  /** That of whom it is to follow, by that one's own word. */
  readonly leading?: number | undefined;
}

/** Why a plan follows its epoch, where others are held; undefined where there are none. */
export function whyFollowed(
  { listing, signs }: Pick<StreamHeld, 'listing' | 'signs'>,
  { lineage: { epochs } }: Pick<MomentPlan, 'lineage'>,
  { epoch, standing, living, leading }: Preferred & Pick<MomentAsked, 'epoch'> & Led,
): string | undefined {
  const followed = epochs[0]?.epoch;
  if (followed === undefined || heldEpochs(listing).size < 2) return undefined;
  const others = [...heldEpochs(listing)].filter((one) => epochs.every((own) => own.epoch !== one));
  const left = others.length === 0 ? '' : `; not followed: ${others.toSorted((a, b) => a - b).join(', ')}`;
  const isUndone = others.length > 0 && others.every((one) => signs.left.some((was) => was.epoch === one));
  const reasons = [
    ...(epoch === followed ? ['it was asked for'] : []),
    ...(standing === followed ? ['it is the one that stands there'] : []),
    ...(leading === followed ? ['the primary is on it'] : []),
    ...(living === followed ? [isUndone ? 'an undo went back to it' : 'its log, or a backup of it, came last'] : []),
    'it is the newest that a backup leads to',
  ];
  return `timeline ${followed} is followed: ${reasons[0]}${left}`;
}
