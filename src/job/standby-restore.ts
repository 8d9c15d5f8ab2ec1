import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { displayPath, type RawPath } from '../bytes/ids.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import type { RecoverablePoint, StoredCopy } from '../point/point.ts';
import { DiskFull, type RestoreOptions, type RestoreOutcome } from '../snapshot/restore.ts';
import type { Following, Leader, RecoveryDriver, Replay } from '../source/recovery.ts';
import { baseToFollow, type BaseToFollow } from './base-to-follow.ts';
import { recorded, type ComponentContext } from './component.ts';
import { restorePoint } from './component-restore.ts';
import { openSource } from './open-source.ts';
import { assertPlace } from './restore-place.ts';

export interface StandbyOptions {
  readonly component: string;
  readonly target: RawPath;
  readonly moved: NonNullable<Replay['moved']>;
  readonly restore: RestoreOptions;
  readonly fetching: NonNullable<Following['fetching']>;
  /** Told before anything is restored. */
  readonly onBase: (found: BaseToFollow) => void;
  readonly onCopy: (point: RecoverablePoint, copy: StoredCopy) => void;
}

export interface StandbyOutcome {
  readonly restored: RestoreOutcome;
  /** What is left to a person; none in a dry run. */
  readonly next: readonly string[];
}

/**
 * Restores the newest backup of what lives of a component to a folder, as one that follows it once a person starts it. What
 * a kill leaves can't be started. 'refused' or 'unreachable', before anything is written, where that could never follow the
 * one that is asked; one that doesn't answer is a warning.
 */
export async function restoreAsStandby(context: ComponentContext, options: StandbyOptions): Promise<StandbyOutcome> {
  const { component: name, target } = options;
  const { [name]: component } = context.policy.components;
  if (component === undefined) throw new HoldfastError('usage', `the policy has no component ${name}`);
  const { recovery } = openSource(context, name, component);
  if (recovery?.follow === undefined) throw new HoldfastError('unsupported', `${name} has no standbys`);
  const { follow } = recovery;
  assertFree(join(displayPath(target), name));
  const fetching = component.log === undefined ? undefined : options.fetching;
  const run = async (): Promise<StandbyOutcome & { readonly from: string; readonly point: string }> =>
    await execute(context, options, recovery, async (folder, epochs) => {
      await recovery.prepare({ folder, moved: options.moved, signal: context.signal });
      return await follow({ folder, signal: context.signal, fetching, epochs });
    });
  if (options.restore.mode === 'dry-run') return await run();
  return await recorded(context, { kind: 'restore', component: name }, run, ({ restored, from, point }) => ({
    outcome: restored.failures === 0 ? 'done' : 'done in part',
    ...{ point, from, target: displayPath(target), as: 'standby', failures: restored.failures },
  }));
}

async function execute(
  context: ComponentContext,
  { component, target, restore, onBase, onCopy }: StandbyOptions,
  driver: RecoveryDriver,
  prepare: (folder: string, epochs: BaseToFollow['epochs']) => Promise<readonly string[]>,
): Promise<StandbyOutcome & { readonly from: string; readonly point: string }> {
  const found = await baseToFollow(context, component, await leaderOf(context, component, driver));
  onBase(found);
  const { base, epochs } = found;
  assertPlace(driver, { target: displayPath(target), component, bytes: base.sizeBytes });
  let next: readonly string[] = [];
  const ready = async (): Promise<void> => void (next = await prepare(join(displayPath(target), component), epochs));
  const restored = await restorePoint(context, base, { component, target, restore, onCopy, ready }).catch(
    (error: unknown) => {
      throw error instanceof DiskFull ? fullAt(join(displayPath(target), component), error) : error;
    },
  );
  return { restored, next, from: restored.copy.repository, point: base.identity };
}

/** Undefined where it can't be asked: then what the log and the backups tell has to do. */
async function leaderOf(
  { listener, signal }: ComponentContext,
  component: string,
  { leader }: RecoveryDriver,
): Promise<Leader | undefined> {
  try {
    return await leader?.(signal);
  } catch (error) {
    if (signal.aborted || !hasCode(error, 'source-failed')) throw error;
    const message = `the primary can’t be asked which timeline it is on, so that only the log and the backups tell: ${error.message}`;
    listener({ kind: 'warning', during: 'restore', item: component, message });
    return undefined;
  }
}

/** A standby is made in an empty folder alone. */
function fullAt(folder: string, cause: DiskFull): HoldfastError {
  return new HoldfastError('storage-full', cause.message, {
    cause,
    next: `Remove ${folder}, free some space there, and run the same command again.`,
  });
}

function assertFree(folder: string): void {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return;
  throw new HoldfastError('refused', `${folder} is not empty`, {
    next: 'Restore into an empty folder. Nothing was changed.',
  });
}
