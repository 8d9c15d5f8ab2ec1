import { join } from 'node:path';
import { absent } from '../absences.ts';
import { debianPackages, hasDebian } from './debian.ts';

/** Why a test with Debian's rclone can't run here, or false. */
export function withoutRclone(): string | false {
  return hasDebian() ? false : absent('rclone');
}

/** The path of Debian's rclone, 1.60. */
export async function rcloneProgram(): Promise<string> {
  return join(await debianPackages('rclone-debian12', ['rclone']), 'usr/bin/rclone');
}
