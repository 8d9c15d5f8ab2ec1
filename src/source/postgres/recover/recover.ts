import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { orAborted } from '../../../flow/abort.ts';
import type { Replay, Replayed } from '../../recovery.ts';
import { parseDescription, type Description } from '../description.ts';
import { findPrograms } from '../find-programs.ts';
import { dataIn, finishDirectory, ownerOf, ownFolderIn, writeOwned } from './data-files.ts';
import { Feeder } from './feeder.ts';
import { fetchScript } from './fetch-script.ts';
import { leavePrepared } from './leave-prepared.ts';
import { ReplayingServer } from './replaying-server.ts';
import { guidanceFor } from './server-words.ts';
import { quoted, recoverySettings } from './settings.ts';

export interface RecoverOptions {
  readonly component: string;
  /** Folders with programs of PostgreSQL, before those where they usually stand. */
  readonly programs: readonly string[];
}

/**
 * Starts the server of the right major on a copy, with a configuration of our own, feeds it the log until it is at the
 * moment, and ends it in order once it is a cluster of its own.
 */
export async function replayLog({ component, programs: named }: RecoverOptions, replay: Replay): Promise<Replayed> {
  const { folder, clock, signal } = replay;
  const description = parseDescription(await readFile(join(folder, 'postgres.json'), 'utf8'));
  const programs = await findPrograms(description.major, named, signal);
  if (programs === undefined) return await leavePrepared(replay, description);
  const feeder = await feederFor(replay, description);
  const startedMs = clock.monotonicMs();
  await using server = await startOn(replay, programs);
  const fed = new AbortController();
  const feeding = feeder.run(AbortSignal.any([fed.signal, signal]));
  feeding.catch(() => undefined); // it has the server stop, and is heard then
  const how = await orAborted(server.over(), signal);
  fed.abort();
  const replayedMs = clock.monotonicMs();
  await feeding;
  if (how === 'gone') throw stopped(component, server.lastWords);
  await server.stop();
  await finishDirectory(folder);
  const { stopped: stop, redoneTo, lastCommit, timeline } = server.said;
  return {
    state: 'recovered',
    stopped: stop ?? 'at the end of the log',
    position: redoneTo,
    lastCommit,
    epoch: timeline,
    seconds: { replay: (replayedMs - startedMs) / 1000, finish: (clock.monotonicMs() - replayedMs) / 1000 },
  };
}

async function feederFor(replay: Replay, { walSegmentBytes, capacities }: Description): Promise<Feeder> {
  const { folder, feed, clock } = replay;
  const [own, data] = [ownFolderIn(folder), dataIn(folder)];
  const owner = await ownerOf(data);
  const [spool, fetch] = [join(own, 'spool'), join(own, 'fetch')];
  const feeder = new Feeder({ spool, feed, segmentBytes: walSegmentBytes, owner, clock });
  await feeder.open();
  const words = ['/bin/sh', fetch, spool, await markOfLife(spool)].map(quoted);
  const command = [...words, '"%f"', '"%p"'].join(' ');
  for (const [name, text] of [
    ['fetch', fetchScript],
    ['pg_hba.conf', 'local all all trust\n'],
    ['pg_ident.conf', ''],
    ['postgresql.conf', recoverySettings({ ...replay, command, own, capacities })],
  ] as const)
    await writeOwned(join(own, name), text, owner);
  return feeder;
}

/** Gone when we are, so that a server doesn't wait for nobody. */
async function markOfLife(otherwise: string): Promise<string> {
  const process_ = `/proc/${process.pid}`;
  return await access(process_).then(
    () => process_,
    () => otherwise,
  );
}

async function startOn({ folder, feed, listener, clock }: Replay, programs: string): Promise<ReplayingServer> {
  const sizes = feed.order.map(({ from, to }) => Number(to - from));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  const [size = 0] = sizes;
  return await ReplayingServer.start({
    programs,
    data: dataIn(folder),
    configuration: join(ownFolderIn(folder), 'postgresql.conf'),
    owner: await ownerOf(dataIn(folder)),
    clock,
    onProgress: ({ restored }) =>
      listener({
        kind: 'progress',
        phase: 'replaying the log',
        doneItems: restored,
        totalItems: Math.max(sizes.length, restored),
        doneBytes: restored * size,
        totalBytes: Math.max(totalBytes, restored * size),
      }),
  });
}

function stopped(component: string, said: string): HoldfastError {
  return new HoldfastError('replay-failed', `${component}: the server that replayed the log stopped: ${said}`, {
    next: guidanceFor(said),
  });
}
