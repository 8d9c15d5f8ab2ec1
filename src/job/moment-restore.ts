import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { displayPath, type RawPath } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { RecoverablePoint, StoredCopy } from '../point/point.ts';
import type { RestoreOptions, RestoreOutcome } from '../snapshot/restore.ts';
import type { Replay, Replayed } from '../source/recovery.ts';
import { recorded, type ComponentContext } from './component.ts';
import { restorePoint } from './component-restore.ts';
import { assertPlace } from './restore-place.ts';
import { sayingUnfinished } from './unfinished.ts';
import { findMoment, replayOf, type FoundMoment, type MomentWanted, type PlannedMoment } from './find-moment.ts';

export interface MomentRestoreOptions extends MomentWanted {
  readonly target: RawPath;
  /** What stood elsewhere, and where it is put. */
  readonly moved: NonNullable<Replay['moved']>;
  readonly restore: RestoreOptions;
  /** Told before anything is touched. */
  readonly onPlan: (plan: PlannedMoment) => void;
  /** Told which copy is read; again for each that has to take over. */
  readonly onCopy: (point: RecoverablePoint, copy: StoredCopy) => void;
}

export interface MomentRestoreOutcome {
  readonly planned: PlannedMoment;
  /** Undefined in a dry run. */
  readonly done?: { readonly restored: RestoreOutcome; readonly replayed: Replayed; readonly fetchSeconds: number };
}

/**
 * Brings a component to a moment between its backups, in a folder: the newest backup before it, from the nearest copy that
 * nobody found bad, and what its log says since. 'snapshots alone': no log is of that time. 'unreachable', before anything is touched, where that can't be.
 */
export async function restoreMoment(
  context: ComponentContext,
  options: MomentRestoreOptions,
): Promise<MomentRestoreOutcome | 'snapshots alone'> {
  await using closing = new AsyncDisposableStack();
  const found = await findMoment(context, options, closing);
  if (found === 'snapshots alone') return found;
  options.onPlan(found.planned);
  const { planned } = found;
  const { component } = options;
  const bytes = await bytesOf(planned, context.signal);
  assertPlace(planned.driver, { target: displayPath(options.target), component, bytes });
  if (options.restore.mode === 'dry-run') return { planned };
  const about = { kind: 'restore', component } as const;
  const run = async (): Promise<Done> => await execute(context, options, found);
  return { planned, done: await recorded(context, about, run, (done) => dataOf(options, found.planned, done)) };
}

async function bytesOf({ driver, survey, sizeBytes, logBytes }: PlannedMoment, signal: AbortSignal) {
  return sizeBytes === undefined ? undefined : sizeBytes + (await driver.roomForLog(survey, logBytes, signal));
}

type Done = NonNullable<MomentRestoreOutcome['done']> & { readonly from: string };

async function execute(context: ComponentContext, options: MomentRestoreOptions, found: FoundMoment): Promise<Done> {
  const { component, target } = options;
  const { driver } = found.planned;
  const folder = join(displayPath(target), component);
  const last = join(displayPath(target), displayPath(driver.last));
  assertFree(last);
  for (const { to } of options.moved) assertEmpty(to);
  const replay: Replay = { ...replayOf(context, options, found), folder, moved: options.moved };
  const doing = async (): Promise<Done> => await restoreAndReplay(context, options, { found, replay });
  return await sayingUnfinished({ folder, last, signal: context.signal }, doing);
}

async function restoreAndReplay(
  context: ComponentContext,
  options: MomentRestoreOptions,
  { found, replay }: { readonly found: FoundMoment; readonly replay: Replay },
): Promise<Done> {
  const { component, restore } = options;
  const { plan, driver } = found.planned;
  const startedMs = context.clock.monotonicMs();
  const ready = async (): Promise<void> => await driver.prepare(replay);
  const restored = await restorePoint(context, plan.base, { ...options, restore, ready });
  const fetchSeconds = (context.clock.monotonicMs() - startedMs) / 1000;
  if (restored.failures > 0) throw incomplete(component, restored.failures);
  return { restored, replayed: await driver.replay(replay), fetchSeconds, from: restored.copy.repository };
}

/** What is complete may be in use, and what a server wrote there since would mix with what is restored. */
function assertFree(last: string): void {
  if (!existsSync(last)) return;
  throw new HoldfastError('refused', `${last} is there: a cluster stands in this folder`, {
    next: 'Restore into an empty folder. Nothing was changed.',
  });
}

function assertEmpty(path: string): void {
  if (!existsSync(path) || readdirSync(path).length === 0) return;
  throw new HoldfastError('refused', `${path} is not empty: a cluster may use it`, {
    next: 'Name an empty folder, or one that is not there. Nothing was changed.',
  });
}

function dataOf(
  { target, moment }: MomentRestoreOptions,
  { plan, logBytes }: PlannedMoment,
  { replayed, fetchSeconds, restored, from }: Done,
): Readonly<Record<string, unknown>> {
  return {
    outcome: replayed.state === 'recovered' ? 'done' : 'prepared',
    point: plan.base.identity,
    from,
    target: displayPath(target),
    moment: moment.kind,
    failures: restored.failures,
    ...(replayed.state === 'recovered'
      ? { stopped: replayed.stopped, logBytes, seconds: { fetch: fetchSeconds, ...replayed.seconds } }
      : {}),
  };
}

function incomplete(component: string, failures: number): HoldfastError {
  return new HoldfastError('refused', `${component}: ${failures} items could not be restored, told above`, {
    next: 'What was restored can’t be started. Mend what is told, and run the same command again.',
  });
}
