import { hash } from 'node:crypto';
import type { Fields } from '../bytes/fields.ts';
import type { Clock } from '../clock/clock.ts';
import type { LockMode, WrittenVersion } from '../storage/versions.ts';
import { remembered, type Remembered } from './remembered.ts';
import type { Repository } from './repository.ts';

/** Until when which version of an object is locked, as was last set or read. Losing it costs requests, nothing else. */
export type LockMemory = Pick<Remembered<WrittenVersion>, 'get' | 'set'>;

/** Until when all that a snapshot needs is locked, as the storage said when it was asked for each object of it. */
export interface LockReading {
  readonly untilNs: bigint;
  /** 'governance' where one object has no stronger lock. */
  readonly mode: LockMode;
  readonly readNs: bigint;
}

type LockedRepository = Pick<Repository, 'config' | 'storage'>;

/** By the keys of objects. */
export async function lockMemory(
  folder: string | undefined,
  of: LockedRepository,
  clock: Clock,
): Promise<Remembered<WrittenVersion>> {
  return await remembered(
    { folder, repositoryId: of.config.id, file: fileOf('object-locks', of), clock },
    {
      encode: ({ version, mode, untilNs }) => ({ version, mode, until: `${untilNs}` }),
      decode: ({ version, mode, until }) => {
        const [lockMode, untilNs] = [modeOf(mode), nsOf(until)];
        if (typeof version !== 'string' || lockMode === undefined || untilNs === undefined) return undefined;
        return { version, mode: lockMode, untilNs };
      },
    },
  );
}

/** By the IDs of snapshots; those of locks that have ended are forgotten. */
export async function lockReadings(
  folder: string | undefined,
  of: LockedRepository,
  clock: Clock,
): Promise<Remembered<LockReading>> {
  return await remembered(
    { folder, repositoryId: of.config.id, file: fileOf('lock-readings', of), clock },
    {
      encode: ({ untilNs, mode, readNs }) => ({ mode, until: `${untilNs}`, read: `${readNs}` }),
      decode: ({ mode, until, read }) => {
        const [lockMode, untilNs, readNs] = [modeOf(mode), nsOf(until), nsOf(read)];
        if (lockMode === undefined || untilNs === undefined || readNs === undefined) return undefined;
        return untilNs > clock.nowNs() ? { mode: lockMode, untilNs, readNs } : undefined;
      },
    },
  );
}

/** Mirrors of a repository have its ID, and locks of their own or none. */
function fileOf(name: string, { storage: { url } }: LockedRepository): string {
  return `${name}-${hash('sha256', url).slice(0, 16)}`;
}

function modeOf(mode: Fields[string]): LockMode | undefined {
  return mode === 'compliance' || mode === 'governance' ? mode : undefined;
}

function nsOf(text: Fields[string]): bigint | undefined {
  return typeof text === 'string' && /^\d+$/.test(text) ? BigInt(text) : undefined;
}
