import { displayPath, type RawPath } from '../bytes/ids.ts';
import { secondText } from '../clock/date.ts';
import { HoldfastError } from '../errors/error.ts';
import type { RecoverablePoint, StoredCopy } from '../point/point.ts';
import { preloadReading } from '../repository/preload.ts';
import { TargetFailed, type RestoreOptions, type RestoreOutcome } from '../snapshot/restore.ts';
import { anySnapshot, type FindOptions } from '../snapshot/snapshots.ts';
import { bounded, type Asked } from './bounded.ts';
import { contextIn, recorded, type ComponentContext } from './component.ts';
import { expectedRestores, surestFirst, type ExpectedRestore } from './expected.ts';
import { openSource } from './open-source.ts';
import { listPoints } from './points.ts';
import { restoreInOrder } from './restore-in-order.ts';
import { restoreToFolder } from './restore.ts';

export interface ComponentRestoreOptions {
  readonly component: string;
  /** The newest point of then or before; the newest of all without it. */
  readonly atNs?: bigint;
  /** Just this point. */
  readonly identity?: string;
  /** Only points that were made by it. */
  readonly method?: string | undefined;
  readonly target: RawPath;
  readonly restore: RestoreOptions;
  /** What part of it, for the record; empty: all. */
  readonly asked: Asked;
  /** Told which copy is read; again for each that has to take over. */
  readonly onCopy: (point: RecoverablePoint, copy: StoredCopy) => void;
}

export interface ComponentRestoreOutcome extends RestoreOutcome {
  readonly point: RecoverablePoint;
  readonly copy: StoredCopy;
}

/**
 * Restores a component to a folder: the newest point that is wanted, from its nearest copy that nobody found bad. Where that one fails, be it
 * in the midst, the next goes on with what is there; the last one's outcome counts.
 */
export async function restoreComponent(
  context: ComponentContext,
  options: ComponentRestoreOptions,
): Promise<ComponentRestoreOutcome> {
  const about = { kind: 'restore', component: options.component } as const;
  preloadReading().catch(() => undefined); // what can't be loaded is told where it is needed
  return await recorded(
    context,
    about,
    async () => await run(context, options),
    ({ point, copy, failures }) => ({
      outcome: failures === 0 ? 'done' : 'done in part',
      point: point.identity,
      from: copy.repository,
      target: displayPath(options.target),
      ...bounded(options.asked),
      failures,
    }),
  );
}

async function run(context: ComponentContext, options: ComponentRestoreOptions): Promise<ComponentRestoreOutcome> {
  const { point } = await pointWanted(context, options);
  return await restorePoint(context, point, { ...options, ready: async () => undefined });
}

export interface PointRestoreOptions extends Pick<
  ComponentRestoreOptions,
  'component' | 'target' | 'restore' | 'onCopy'
> {
  /**
   * Done once all is there but what nothing starts without, where the component's source says what that is. Undefined:
   * what is left of it by a kill is removed by the next, and may come in any order.
   */
  readonly ready: (() => Promise<void>) | undefined;
}

export async function restorePoint(
  context: ComponentContext,
  point: RecoverablePoint,
  options: PointRestoreOptions,
): Promise<ComponentRestoreOutcome> {
  return await fromCopies(
    context,
    point,
    options.onCopy,
    async (copy) => await restoreCopy(context, point, copy, options),
  );
}

/** From the surest copy, and the next where that one fails, be it in the midst; the last one's outcome counts. */
export async function fromCopies(
  context: ComponentContext,
  point: RecoverablePoint,
  onCopy: ComponentRestoreOptions['onCopy'],
  restore: (copy: StoredCopy) => Promise<RestoreOutcome>,
): Promise<ComponentRestoreOutcome> {
  const copies = surestFirst(context.policy, point).filter((copy) => copy.held === 'repository');
  if (copies.length === 0) throw heldElsewhere(point);
  for (const [at, copy] of copies.entries()) {
    onCopy(point, copy);
    const isLast = at === copies.length - 1;
    try {
      const outcome = await restore(copy);
      if (outcome.failures === 0 || isLast) return { ...outcome, point, copy };
    } catch (error) {
      if (isLast || context.signal.aborted || !(error instanceof HoldfastError) || error instanceof TargetFailed)
        throw error;
      const message = `the copy there failed, the next one goes on: ${error.message}`;
      context.listener({ kind: 'warning', during: 'restore', item: copy.repository, message });
    }
  }
  throw new HoldfastError('internal', 'a point without copies');
}

export interface PointWanted {
  readonly point: RecoverablePoint;
  /** Of its copies, in the order in which a restore takes them. */
  readonly expected: readonly ExpectedRestore[];
}

export async function pointWanted(
  context: ComponentContext,
  {
    component,
    atNs,
    identity,
    method,
    suits = () => true,
  }: Pick<ComponentRestoreOptions, 'component' | 'atNs' | 'identity' | 'method'> & {
    readonly suits?: (point: RecoverablePoint) => boolean;
  },
): Promise<PointWanted> {
  const { points, unknown, records } = await listPoints(context, [component]);
  const meant = points.filter((one) => (method === undefined || one.method === method) && suits(one));
  const point = meant.findLast(
    (one) => (atNs === undefined || one.timeNs <= atNs) && (identity === undefined || one.identity === identity),
  );
  if (point !== undefined) return { point, expected: expectedRestores(context.policy, point, records) };
  const [oldest] = meant;
  const hidden = unknown.map(({ repository }) => repository).join(', ');
  const where = hidden === '' ? '' : `; ${hidden} can’t be asked`;
  const wanted = `${identity === undefined ? '' : ` ${identity}`}${method === undefined ? '' : ` made by the method ${method}`}`;
  const then = atNs === undefined ? '' : ` of ${secondText(atNs)} or before`;
  const first = oldest === undefined ? 'none is known' : `the oldest is of ${secondText(oldest.timeNs)}`;
  throw new HoldfastError(
    oldest === undefined || unknown.length > 0 ? 'snapshot-not-found' : 'point-not-found',
    `${component} has no recoverable point${wanted}${then}: ${first}${where}`,
    {
      next: `Run \`holdfast snapshots ${component} --points\` to see what there is. Nothing was changed.`,
    },
  );
}

function heldElsewhere({ component, identity, copies }: RecoverablePoint): HoldfastError {
  const places = copies.map(({ repository }) => repository).join(', ');
  const message = `${component}: the point ${identity} is held in ${places} alone, out of which this version restores nothing`;
  return new HoldfastError('unsupported', message, {
    next: `Restore it with the tools of ${places}, or take an older point by --at. Nothing was changed.`,
  });
}

/** However a snapshot is called, it is the one of this ID. */
export const byId: FindOptions = {
  filter: anySnapshot,
  now: Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO('UTC'),
};

async function restoreCopy(
  context: ComponentContext,
  { method }: RecoverablePoint,
  { repository, snapshot }: StoredCopy,
  { component: name, target, restore, ready }: PointRestoreOptions,
): Promise<RestoreOutcome> {
  const { [name]: component } = context.policy.components;
  const last = component && openSource(context, name, component, method === '' ? undefined : method).recovery?.last;
  const [job, options] = [contextIn(context, repository), { name: snapshot.id, find: byId, target, restore }];
  if (last === undefined || ready === undefined) return await restoreToFolder(job, options);
  return await restoreInOrder(job, options, { last, ready });
}
