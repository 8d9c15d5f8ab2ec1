import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Fields } from '../bytes/fields.ts';
import { HoldfastError } from '../errors/error.ts';
import type { ComponentContext } from '../job/component.ts';
import type { ReplacingDriver } from '../job/find-replacement.ts';
import { growthOver } from '../job/restore-over.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { Component } from '../policy/policy.ts';
import type { InPlaceDriver, Seat } from '../source/in-place.ts';
import type { Base } from '../point/moment.ts';
import type { Put } from './room.ts';
import { clearOver, extentIn, overStateOf, type OverState } from './kinds/half-over.ts';
import { placesOf, type Places } from './kinds/places.ts';
import { around, health, livePath, step, type LivePath } from './steps.ts';

/** Whether a plan restores over what is live, with nothing kept for an undo. */
export function goesOver({ steps }: Pick<Plan, 'steps'>): boolean {
  return steps.some(({ undo }) => undo === 'impossible');
}

/** Where what is noted of a restore over a place lies. */
function placesOver(place: string, { unseen }: InPlaceDriver): Places {
  const live = livePath(place);
  const given = { ...live, slot: 0, over: 'yes', ...(live.replace === 'contents' ? { unseen } : {}) };
  return placesOf({ step: step('over', 'restore-over', given), hash: '' });
}

/** What an earlier plan has left of a place. */
export function stateOf(place: string, driver: InPlaceDriver): OverState {
  return overStateOf(placesOver(place, driver), driver.over);
}

/** What a plan has left beside what it brought to an end, or beside what stands there since, is of no use to anybody. */
export async function clearEnded(place: string, driver: InPlaceDriver): Promise<void> {
  if (stateOf(place, driver) === 'ended') await clearOver(placesOver(place, driver));
}

/** 'refused' where only a restore over it goes on with what is there. */
export function assertNotHalfOver(place: string, driver: InPlaceDriver): void {
  if (stateOf(place, driver) !== 'half over') return;
  throw new HoldfastError('refused', `${place} was restored over in part: what it was is gone`, {
    next: 'Say --delta --without-undo, as before: any moment will do. Nothing was changed.',
  });
}

export interface Over {
  readonly component: Component;
  readonly live: LivePath;
  readonly seat: Seat;
  readonly given: Fields;
}

/**
 * The log is rescued, and the moment looked for, while all is there still. From `restore-over` on nothing is taken back:
 * whatever fails, the same plan goes on, or another one brings another moment.
 */
export function stepsOver({ component, live, seat, given }: Over): readonly Step[] {
  const others = seat.others.map((one, index) => ({ ...one, slot: index + 1 }));
  const all = { ...given, ...live, slot: 0, others, over: 'yes' };
  return [
    ...around(component, 'no'),
    step('withhold', 'withhold', all),
    ...(component.log === undefined ? [] : [step('rescue', 'rescue-log', all, 'no')]),
    step('reachable', 'moment-reachable', all, 'no'),
    step('over', 'restore-over', all, 'impossible'),
    step('replay', 'replay-over', all, 'no'),
    step('take-over', 'take-over', { ...all, afterwards: seat.afterwards }, 'no'),
    ...around(component, 'yes'),
    ...health(component),
  ];
}

/**
 * By how much each part of it grows, at most: parts are written one after another, so that nothing which one gives up is
 * counted for another. The log that a server keeps while it replays stands in the place itself.
 */
export async function growthOf(
  context: ComponentContext,
  { driver: { inPlace }, base, seat, logBytes }: GrowthAsked,
): Promise<readonly Put[]> {
  const isHalf = stateOf(seat.place, inPlace) === 'half over';
  const noted = isHalf ? extentIn(placesOver(seat.place, inPlace)) : undefined;
  const extent = await inPlace.over.withOthers(noted ?? (await inPlace.over.extent(seat)), seat.others);
  const options = { ...extent, within: inPlace.within, key: inPlace.key, onCopy: () => undefined };
  const grown = await growthOver(context, base, options);
  return [...grown].map(([{ from, to }, bytes]) => ({
    folder: existsSync(to) ? to : dirname(to),
    bytes: Math.max(0, bytes + (from === '' ? logBytes : 0)),
  }));
}

export interface GrowthAsked {
  readonly driver: ReplacingDriver;
  readonly base: Base;
  readonly seat: Seat;
  readonly logBytes: number;
}
