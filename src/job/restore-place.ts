import { existsSync, readdirSync, statfsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { HoldfastError } from '../errors/error.ts';
import { errorCode } from '../host/system-error.ts';
import type { RecoveryDriver } from '../source/recovery.ts';

export interface WantedPlace {
  readonly target: string;
  /** Its folder is made below the target. */
  readonly component: string;
  /** What it takes; undefined where nobody knows. */
  readonly bytes: number | undefined;
}

/** 'refused', before anything is touched, where a folder lies within what lives, or its disk has no room. */
export function assertPlace(
  { standsIn }: Pick<RecoveryDriver, 'standsIn'>,
  { target, component, bytes }: WantedPlace,
): void {
  const folder = resolve(target);
  const living = standsIn(folder);
  if (living !== undefined)
    throw new HoldfastError('refused', `${folder} lies within ${living}, whose backups would take it along`, {
      next: 'Name a folder elsewhere by --target, or replace what stands there by --in-place. Nothing was changed.',
    });
  // What an earlier run has brought is there already.
  if (bytes === undefined || !isFree(join(folder, component))) return;
  const room = roomOf(statfsSync(nearest(folder)));
  if (room === undefined || room >= bytes) return;
  const mib = (count: number): number => Math.ceil(count / 2 ** 20);
  throw new HoldfastError('refused', `${mib(bytes)} MiB are needed in ${folder}, and ${mib(room)} MiB are free`, {
    next: 'Free some space there, or name a folder on another disk. Nothing was changed.',
  });
}

/** f_type of btrfs, zfs and bcachefs, on which more may fit than is free. */
const compressing: readonly number[] = [0x91_23_68_3e, 0x2f_c1_2f_c1, 0xca_45_1a_4e];

/** undefined where the file system doesn't tell, as some of the network. */
export function roomOf({ type, blocks, bavail, bsize }: Room): number | undefined {
  return blocks === 0 || compressing.includes(type) ? undefined : bavail * bsize;
}

type Room = Readonly<Record<'type' | 'blocks' | 'bavail' | 'bsize', number>>;

/** Not where it can't be looked into: the restore itself says why. */
function isFree(folder: string): boolean {
  try {
    return !existsSync(folder) || readdirSync(folder).length === 0;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}

function nearest(folder: string): string {
  return existsSync(folder) ? folder : nearest(dirname(folder));
}
