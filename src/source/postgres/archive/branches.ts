import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rawPathOf } from '../../../bytes/ids.ts';
import { errorCode } from '../../../host/system-error.ts';
import type { Extent, History } from '../../../log/log.ts';
import type { FetchWork } from '../../log.ts';
import { readControl } from '../host/control.ts';
import { historiesIn } from '../stream/history.ts';

type Recovering = Pick<FetchWork, 'dataDirectory' | 'clock' | 'signal'>;

/**
 * What a server that recovers asks for before this segment, as XLogFileReadAnyTLI of PostgreSQL does: those of the timelines that
 * came of its own at it or before it. They are told by the histories that the server keeps in pg_wal once it follows them,
 * or by that of the one it is told to follow alone. Where it has replayed its own past the branch, it doesn't follow that.
 * 'source-failed' where a history is none.
 */
export async function branchesBefore(server: Recovering, extent: Extent): Promise<readonly Extent[]> {
  const { epoch, from, to } = extent;
  const chains: (readonly History[])[] = [];
  for (const file of await followed(server.dataDirectory)) {
    const chain = await chainIn(server.dataDirectory, file);
    const branch = chain.find(({ parent }) => parent === epoch);
    if (branch !== undefined && branch.forkedAt < to && !(await isPast(server, branch))) chains.push(chain);
  }
  const epochs = chains.flat().flatMap((one) => (one.epoch > epoch && one.forkedAt < to ? [one.epoch] : []));
  return [...new Set(epochs)].map((one) => ({ epoch: one, from, to }));
}

/** By the least end of recovery: pg_control.h, ControlFileData.minRecoveryPoint and its timeline. */
async function isPast({ dataDirectory, clock, signal }: Recovering, { parent, forkedAt }: History): Promise<boolean> {
  const { bytes } = await readControl(rawPathOf(join(dataDirectory, 'global/pg_control')), clock, signal);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return view.getUint32(144, true) === parent && view.getBigUint64(136, true) > forkedAt;
}

async function followed(dataDirectory: string): Promise<readonly string[]> {
  const names = await orNone(readdir(join(dataDirectory, 'pg_wal')), []);
  const wanted = await timelineWanted(dataDirectory);
  return names
    .filter((name) => /^[0-9A-F]{8}\.history$/.test(name))
    .filter((name) => wanted === undefined || timelineOf(name) === wanted);
}

function timelineOf(file: string): number {
  return Number.parseInt(file.slice(0, 8), 16);
}

async function chainIn(dataDirectory: string, file: string): Promise<readonly History[]> {
  return historiesIn(timelineOf(file), await readFile(join(dataDirectory, 'pg_wal', file)));
}

/** By its number; undefined: whichever is the latest. What is written last counts. */
async function timelineWanted(dataDirectory: string): Promise<number | undefined> {
  const files = ['postgresql.conf', 'postgresql.auto.conf'];
  const texts = await Promise.all(
    files.map(async (file) => await orNone(readFile(join(dataDirectory, file), 'utf8'), '')),
  );
  const said = [...texts.join('\n').matchAll(/^\s*recovery_target_timeline\s*=?\s*'?(\w+)/gim)].at(-1)?.[1] ?? '';
  return /^[1-9]\d*$/.test(said) ? Number(said) : undefined;
}

async function orNone<T>(reading: Promise<T>, none: T): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return none;
    throw error;
  }
}
