import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { secondText } from '../clock/date.ts';
import { HoldfastError } from '../errors/error.ts';
import type { ComponentContext } from '../job/component.ts';
import type { MomentWanted, PlannedMoment } from '../job/find-moment.ts';
import {
  findReplacement,
  seatOf,
  sizeBelow,
  type FoundReplacement,
  type ReplacingDriver,
} from '../job/find-replacement.ts';
import { logPlaces, logWork } from '../job/log-places.ts';
import { listOf, textOf } from '../bytes/fields.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { Moment } from '../point/moment.ts';
import type { Component } from '../policy/policy.ts';
import type { Seat } from '../source/in-place.ts';
import type { InPlaceOptions, PlannedInPlace } from './in-place.ts';
import { assertGoesAway } from './in-the-way.ts';
import { assertNothingKeptBelow, plansIn } from './kept-below.ts';
import { assertAllAsked } from './kinds/replay.ts';
import { disksUnder } from './kinds/disks.ts';
import { argumentsOf } from './kinds/replacement.ts';
import { wantedFields } from './moment-form.ts';
import { assertRoom, disksFor, roomAt, type Disk, type Put } from './room.ts';
import { around, folderAround, health, livePath, planOf, step, switches, type LivePath } from './steps.ts';
import { assertNotHalfOver, clearEnded, growthOf, stateOf, stepsOver, type Over } from './in-place-over.ts';

/** What is known of it before anything is touched. */
export interface PlannedReplacement {
  /** Undefined: the backup is brought back up to its own end. */
  readonly moment: PlannedMoment | undefined;
  readonly place: string;
  /** 'over': nothing of what stands there is kept, and nothing brings it back. */
  readonly way: InPlaceOptions['way'];
  /** Beside what stands there; undefined where nobody can tell. */
  readonly neededBytes: number | undefined;
  /** What is needed on each disk, and free there. */
  readonly disks: readonly Disk[];
  readonly afterwards: readonly string[];
}

/** What is left to a person once a plan is carried out, by the plan itself: a run that goes on with it has nothing else. */
export function afterwardsOf({ steps }: Pick<Plan, 'steps'>): readonly string[] {
  return steps.flatMap(({ key, arguments: { afterwards } }) =>
    afterwards === undefined ? [] : listOf(afterwards, key).map((one) => textOf(one, key)),
  );
}

/**
 * The plan that replaces a component by what its log is replayed on. The backup is restored beside it while it still runs;
 * once it is stopped, nothing starts it any more by accident, and what its log has and no place holds is rescued: only
 * then the log is replayed, so that the newest commits are there. What stands elsewhere is switched first, its place last.
 */
export async function planReplacement(
  context: ComponentContext,
  driver: ReplacingDriver,
  options: InPlaceOptions,
): Promise<PlannedInPlace> {
  const { component: name, by } = options;
  const { [name]: component } = context.policy.components;
  if (component === undefined) throw new HoldfastError('usage', `the policy has no component ${name}`);
  await using closing = new AsyncDisposableStack();
  const wanted = wantedBy(options);
  const found = await foundWith({ context, driver, component }, wanted, options, closing);
  const { base, planned, seat, standing } = found;
  if (options.mode === 'execute') assertAllAsked(name, wanted, planned?.unasked ?? []);
  const live = livePath(seat.place);
  for (const path of [seat.place, ...seat.others.map(({ location }) => location)])
    await assertNothingKeptBelow(plansIn(context.stateFolder), path);
  const disks = await disksOf(context, { driver, found, live, way: options.way });
  const replacement: PlannedReplacement = {
    moment: planned,
    place: seat.place,
    way: options.way,
    neededBytes: options.way === 'over' ? disks.reduce((sum, { bytes }) => sum + bytes, 0) : neededBytes(found),
    disks,
    afterwards: seat.afterwards,
  };
  assertRoom(disks);
  const on = disksUnder([folderAround(live), ...seat.others.map(({ location }) => location)]);
  const given = {
    component: name,
    point: base.identity,
    stream: base.log.stream,
    within: driver.inPlace.within,
    ...on,
  };
  const seated = live.replace === 'contents' ? { ...live, unseen: driver.inPlace.unseen } : live;
  const stepping = { component, live: seated, seat, given: { ...given, ...wantedFields({ ...wanted, standing }) } };
  const steps = options.way === 'over' ? stepsOver(stepping) : stepsOf(stepping);
  const over = options.way === 'over' ? ' over what is there' : '';
  const title = `${name} in place${over} ${inWords(wanted.moment)}, from the backup of ${secondText(base.timeNs)}`;
  const plan = planOf(context, { component, name, title, by, steps });
  return { plan, expected: planned?.expected ?? [], replacement };
}

/** Without a word all that can be had: of a component with a log what was committed last, else its newest backup. */
function wantedBy({ component, moment, atNs }: InPlaceOptions): MomentWanted {
  const asked = moment ?? { moment: { kind: 'latest' }, edge: 'included' };
  return { ...asked, component, otherwise: moment === undefined || atNs !== undefined ? 'a snapshot' : 'nothing' };
}

interface Replacing {
  readonly context: ComponentContext;
  readonly driver: ReplacingDriver;
  readonly component: Component;
}

interface Found extends FoundReplacement {
  readonly seat: Seat;
  /** The epoch that is followed where none was asked for. */
  readonly standing: number | undefined;
}

/**
 * What stands there may have the only log that leads to the moment: where it doesn't run, that is stored first, which
 * changes nothing there, and the moment is looked for again.
 */
async function foundWith(
  replacing: Replacing,
  wanted: MomentWanted,
  { mode, way }: InPlaceOptions,
  closing: AsyncDisposableStack,
): Promise<Found> {
  const { context, driver, component } = replacing;
  const { component: name } = wanted;
  const places = logPlaces(context, component);
  const anywhere =
    places.length === 0 ? wanted : ({ ...wanted, moment: { kind: 'latest' }, epoch: undefined } as const);
  const first = await findReplacement(context, anywhere, closing);
  const isHalfOver = (place: string): boolean => stateOf(place, driver.inPlace) === 'half over';
  const seat = await seatOf(context, { component: name, base: first.base, driver }, isHalfOver);
  for (const message of seat.doubts) context.listener({ kind: 'warning', during: 'plan', item: name, message });
  if (way === 'beside') assertNotHalfOver(seat.place, driver.inPlace);
  if (mode === 'execute') await clearEnded(seat.place, driver.inPlace);
  const isHalf = isHalfOver(seat.place);
  // What seems to run in what is half over is what replayed it when it was cut off: the plan sees to that.
  const obstacle = isHalf ? undefined : await driver.inPlace.obstacle(seat.place);
  if (obstacle !== undefined) await assertGoesAway(context, { ...obstacle, component: name, mode });
  const hasLog = places.length > 0 && !isHalf;
  if (mode === 'execute' && hasLog && obstacle === undefined)
    await driver.inPlace.rescue(logWork(context, name, component), {
      place: seat.place,
      stream: first.base.log.stream,
    });
  const unstored = hasLog ? unstoredIn(seat.place, { ...driver, mode, runs: obstacle !== undefined }) : undefined;
  const found = await findReplacement(context, { ...wanted, standing: seat.epoch, unstored }, closing);
  // Where nothing tells it, what is planned now is followed once it is carried out.
  const standing = seat.epoch ?? found.planned?.plan.lineage.epochs[0]?.epoch;
  if (found.base.identity === first.base.identity) return { ...found, standing, seat };
  // Tablespaces may have come and gone between the two, and a cluster of before is another one.
  const again = { component: name, base: found.base, driver };
  return { ...found, standing, seat: await seatOf(context, again, isHalfOver) };
}

interface Unstored extends Pick<InPlaceOptions, 'mode'>, Pick<ReplacingDriver, 'inPlace'> {
  readonly runs: boolean;
}

/** What was committed minutes ago may not have been handed over yet: all that there is would bring a mistake of then back, too. */
function unstoredIn(place: string, { inPlace: { handOver }, mode, runs }: Unstored): string | undefined {
  const where = `What was committed last may be in ${place} alone,`;
  if (runs)
    return `${where} whose log is read once it doesn’t run: stop it, or have it store that while it runs (\`${handOver}\`), and run the command again. \`--latest\` would bring back all of it, a mistake of then included.`;
  return mode === 'execute'
    ? undefined
    : `${where} whose log a dry run doesn’t store: without --dry-run that comes first.`;
}

function stepsOf({ component, live, seat, given }: Over): readonly Step[] {
  const others = seat.others.map((one, index) => ({ ...one, slot: index + 1 }));
  const all = { ...given, ...live, slot: 0, others };
  return [
    step('restore-0', 'restore-moment', all),
    ...around(component, 'no'),
    step('withhold', 'withhold', all),
    ...(component.log === undefined ? [] : [step('rescue', 'rescue-log', all, 'no')]),
    step('replay', 'replay', all, 'no'),
    ...others.map((one) => step(`switch-${one.slot}`, switches.whole, { ...argumentsOf(one), on: given['on'] })),
    step('switch-0', switches[live.replace], { ...live, slot: 0, within: given['within'], on: given['on'] }),
    step('take-over', 'take-over', { ...all, afterwards: seat.afterwards }),
    ...around(component, 'yes'),
    ...health(component),
  ];
}

/** So much of the log a server keeps that replays it, at most. */
const mostLogBytes = 1024 * 2 ** 20;

function neededBytes({ base, planned }: FoundReplacement): number | undefined {
  const { sizeBytes } = base;
  return sizeBytes === undefined ? undefined : sizeBytes + logBytes(planned);
}

function logBytes(planned: PlannedMoment | undefined): number {
  return Math.min(planned?.logBytes ?? 0, mostLogBytes);
}

/**
 * By each disk: all of the backup is restored beside its place first, and what stands on another disk is moved there then.
 */
async function disksOf(context: ComponentContext, { driver, found, live, way }: Roomy): Promise<readonly Disk[]> {
  const { path, replace } = live;
  if (way === 'over') {
    const { base, planned, seat } = found;
    return await disksFor(await growthOf(context, { driver, base, seat, logBytes: logBytes(planned) }));
  }
  const folder = replace === 'contents' && existsSync(path) ? path : dirname(path);
  const { device } = await roomAt(folder);
  const puts: Put[] = [{ folder, bytes: neededBytes(found) ?? 0 }];
  for (const { from, location } of found.seat.others) {
    if ((await roomAt(location)).device === device) continue;
    puts.push({ folder: location, bytes: await sizeBelow(context, found.base, driver.inPlace.storedAt(from)) });
  }
  return await disksFor(puts);
}

interface Roomy {
  readonly driver: ReplacingDriver;
  readonly found: Found;
  readonly live: LivePath;
  readonly way: InPlaceOptions['way'];
}

function inWords(moment: Moment): string {
  switch (moment.kind) {
    case 'time':
      return `as of ${secondText(moment.timeNs)}`;
    case 'position':
      return `as of position ${moment.at.toString(16)}`;
    case 'transaction':
      return `as of transaction ${moment.id}`;
    case 'name':
      return `as of the point ${moment.name}`;
    case 'latest':
      return 'with all that was committed';
    case 'consistent':
      return 'as its backup ended';
  }
}
