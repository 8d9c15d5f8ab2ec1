import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { displayPath, rawPathOf } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import type { Base } from '../point/moment.ts';
import { isKnownBad, type RecoverablePoint } from '../point/point.ts';
import type { RestoreOptions } from '../snapshot/restore.ts';
import type { InPlaceDriver, Seat } from '../source/in-place.ts';
import type { RecoveryDriver, Replay } from '../source/recovery.ts';
import type { ComponentContext } from './component.ts';
import { restorePoint } from './component-restore.ts';
import { findMoment, replayOf, type MomentWanted, type PlannedMoment } from './find-moment.ts';
import { openSource } from './open-source.ts';
import { listPoints } from './points.ts';
import { replayAlone } from './replay-alone.ts';

/** What a component that stands on this host is replaced by. */
export interface FoundReplacement {
  readonly base: Base;
  readonly replay: Omit<Replay, 'folder'>;
  /** Undefined: no log leads on from the backup, which is brought back up to its own end. */
  readonly planned: PlannedMoment | undefined;
}

export type ReplacingDriver = RecoveryDriver & { readonly inPlace: InPlaceDriver };

/** Undefined where a component isn't replaced by what its log was replayed on. */
export function replacingDriver(context: ComponentContext, name: string): ReplacingDriver | undefined {
  const { [name]: component } = context.policy.components;
  if (component === undefined) throw new HoldfastError('usage', `the policy has no component ${name}`);
  const { recovery } = openSource(context, name, component);
  return recovery?.inPlace === undefined ? undefined : { ...recovery, inPlace: recovery.inPlace };
}

/** As a moment is found, and else the newest backup that is wanted; what is read later stays open until the stack is disposed of. */
export async function findReplacement(
  context: ComponentContext,
  wanted: MomentWanted,
  closing: AsyncDisposableStack,
): Promise<FoundReplacement> {
  const found = await findMoment(context, wanted, closing);
  if (found !== 'snapshots alone') {
    const { planned } = found;
    return { base: planned.plan.base, replay: replayOf(context, wanted, found), planned };
  }
  const beforeNs = wanted.moment.kind === 'time' ? wanted.moment.timeNs : undefined;
  const base = await backupOf(context, wanted.component, (one) =>
    wanted.base === undefined ? beforeNs === undefined || one.timeNs <= beforeNs : one.identity === wanted.base,
  );
  return { base, replay: await replayAlone(context, base), planned: undefined };
}

/** The very backup that a plan was made with. */
export async function findBase(context: ComponentContext, component: string, identity: string): Promise<Base> {
  return await backupOf(context, component, (one) => one.identity === identity);
}

/** The newest that is wanted, and of these one that nobody found wrong. */
export async function backupOf(
  context: ComponentContext,
  component: string,
  isWanted: (point: RecoverablePoint) => boolean,
): Promise<Base> {
  const { points } = await listPoints(context, [component]);
  const meant = points.filter((one) => one.log !== undefined && isWanted(one));
  const found = meant.findLast((one) => !isKnownBad(one)) ?? meant.at(-1);
  if (found?.log !== undefined) return { ...found, log: found.log };
  throw new HoldfastError('point-not-found', `${component} has no backup of then that can take its place`, {
    next: `Run \`holdfast snapshots ${component} --points\` to see what there is. Nothing was changed.`,
  });
}

/** Where a point would be put, by what it says itself. */
export async function seatOf(
  context: ComponentContext,
  { component, base, driver }: Described,
  isHalfOver: (place: string) => boolean,
): Promise<Seat> {
  await using scratch = await mkdtempDisposable(join(tmpdir(), 'holdfast-'));
  await restoreDescription(context, { component, base, driver }, scratch.path);
  return await driver.inPlace.look(scratch.path, context.signal, isHalfOver);
}

export interface Described {
  readonly component: string;
  readonly base: Base;
  readonly driver: ReplacingDriver;
}

/** What a point says of itself, below a folder. */
export async function restoreDescription(
  context: ComponentContext,
  { component, base, driver }: Described,
  folder: string,
): Promise<void> {
  const { failures } = await restorePoint(context, base, {
    component,
    target: rawPathOf(folder),
    restore: only(`/${displayPath(driver.inPlace.description)}`),
    onCopy: () => undefined,
    ready: async () => undefined,
  });
  if (failures > 0) throw new HoldfastError('refused', `what the point says of itself could not be restored`);
}

/** One file of a point. */
export function only(path: string): RestoreOptions {
  return {
    ...whole,
    select: (location, type) => {
      const here = displayPath(location);
      const childrenMayBe = type === 'directory' && (here === '/' || path.startsWith(`${here}/`));
      return { selected: here === path, childrenMayBe };
    },
  };
}

/** How many bytes a restore of what is below a path of a point writes. */
export async function sizeBelow(context: ComponentContext, point: RecoverablePoint, path: string): Promise<number> {
  const listener: Listener = (event) => (event.kind === 'warning' ? context.listener(event) : undefined);
  const { totalBytes } = await restorePoint({ ...context, listener }, point, {
    component: point.component,
    target: rawPathOf(join(tmpdir(), 'holdfast-nothing-is-written')),
    restore: {
      ...whole,
      mode: 'dry-run',
      select: (location, type) => {
        const here = displayPath(location);
        const isWithin = here.startsWith(`/${path}/`);
        const leads = here === '/' || `/${path}/`.startsWith(`${here}/`);
        return { selected: isWithin, childrenMayBe: type === 'directory' && (isWithin || leads) };
      },
    },
    onCopy: () => undefined,
    ready: undefined,
  });
  return totalBytes;
}

/** All of a point, into a folder of our own. */
export const whole: RestoreOptions = {
  overwrite: 'always',
  select: (_location, type) => ({ selected: true, childrenMayBe: type === 'directory' }),
  extras: 'delete',
  mode: 'write',
  holes: 'dense',
  verify: 'no',
  selectXattr: 'all',
};
