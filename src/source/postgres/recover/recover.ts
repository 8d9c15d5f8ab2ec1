import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { orAborted } from '../../../flow/abort.ts';
import type { Replay, Replayed } from '../../recovery.ts';
import { parseDescription, type Description } from '../description.ts';
import { findPrograms } from '../find-programs.ts';
import { assertPlain } from './assert-plain.ts';
import { finishDirectory, waitAgain } from './data-files.ts';
import { Feeder, spoolName } from './feeder.ts';
import { fetchScript } from './fetch-script.ts';
import { leavePrepared } from './leave-prepared.ts';
import { shortOfEnd } from './reached-end.ts';
import { nameStalls } from './name-stalls.ts';
import { ReplayingServer } from './replaying-server.ts';
import { guidanceFor } from './server-words.ts';
import { sayingUnwritable } from './unwritable.ts';
import { quoted, recoverySettings } from './settings.ts';
import { dataIn, ownFolderIn, Workplace } from './workplace.ts';

export interface RecoverOptions {
  readonly component: string;
  /** Folders with programs of PostgreSQL, before those where they usually stand. */
  readonly programs: readonly string[];
}

/**
 * Starts the server of the right major on a copy, with a configuration of our own, feeds it the log until it is at the
 * moment, and ends it in order once it is a cluster of its own.
 */
export async function replayLog(options: RecoverOptions, replay: Replay): Promise<Replayed> {
  const { component } = options;
  return await sayingUnwritable({ ...replay, component }, async () => await replayed(options, replay));
}

async function replayed({ component, programs: named }: RecoverOptions, replay: Replay): Promise<Replayed> {
  const { folder, clock, signal } = replay;
  const description = parseDescription(await readFile(join(folder, 'postgres.json'), 'utf8'));
  const where = replay.place === undefined ? 'a copy' : 'its place';
  await assertPlain({ data: dataIn(folder), where, major: description.major });
  const programs = await findPrograms(description.major, named, signal);
  if (programs === undefined) return await leavePrepared(replay, description);
  using at = Workplace.open(folder, replay.place);
  using feeder = await feederFor(at, replay, description);
  const startedMs = clock.monotonicMs();
  await using server = await startOn(at, replay, programs);
  await feedToMoment({ component, server, feeder }, replay);
  const replayedMs = clock.monotonicMs();
  await server.stop();
  assertReachedEnd({ component, at, server }, replay);
  if (replay.as !== 'in its place') finishDirectory(at, replay.as);
  const { stopped, redoneTo, lastCommit, timeline } = server.said;
  return {
    state: 'recovered',
    stopped: stopped ?? 'at the end of the log',
    position: redoneTo,
    lastCommit,
    epoch: timeline,
    seconds: { replay: (replayedMs - startedMs) / 1000, finish: (clock.monotonicMs() - replayedMs) / 1000 },
  };
}

interface Feeding {
  readonly component: string;
  readonly server: ReplayingServer;
  readonly feeder: Feeder;
}

/** Until the server is open, for it is at its moment. 'replay-failed', with its own words, where it is gone before. */
async function feedToMoment(
  { component, server, feeder }: Feeding,
  { clock, signal, listener }: Replay,
): Promise<void> {
  const fed = new AbortController();
  const until = AbortSignal.any([fed.signal, signal]);
  const feeding = feeder.run(until);
  feeding.catch(() => undefined); // it has the server stop, and is heard then
  const tell = (message: string): void => listener({ kind: 'warning', during: 'restore', item: component, message });
  const seen = { progress: () => server.progress, at: () => server.said.redoingAt, wants: () => feeder.wanted };
  const watching = nameStalls(seen, { clock, until, tell });
  const how = await orAborted(server.over(), signal);
  fed.abort();
  await watching;
  await feeding;
  if (how === 'open') return;
  const said = server.lastWords;
  throw new HoldfastError('replay-failed', `${component}: the server that replayed the log stopped: ${said}`, {
    next: guidanceFor(said),
  });
}

/** What was replayed short of all there is waits for a log again: it must not be taken for what was wanted. */
function assertReachedEnd(
  { component, at, server }: Pick<Feeding, 'component' | 'server'> & { readonly at: Workplace },
  replay: Replay,
): void {
  const short = shortOfEnd(replay, server.said.redoneTo);
  if (short === undefined) return;
  waitAgain(at);
  throw new HoldfastError('replay-failed', `${component}: ${short}`, {
    next: 'Bring a moment before that back, by --lsn or --at; a backup taken after it leads on. Two clusters may have written the log.',
  });
}

async function feederFor(at: Workplace, replay: Replay, { walSegmentBytes, capacities }: Description): Promise<Feeder> {
  const { folder, feed, clock } = replay;
  const { owner } = at;
  const [own, files] = [ownFolderIn(folder), at.own()];
  const [spool, fetch] = [join(own, spoolName), join(own, 'fetch')];
  const words = ['/bin/sh', fetch, spool, await markOfLife(spool)].map(quoted);
  const command = [...words, '"%f"', '"%p"'].join(' ');
  for (const [name, text] of [
    ['fetch', fetchScript],
    ['pg_hba.conf', 'local all all trust\n'],
    ['pg_ident.conf', ''],
    ['postgresql.conf', recoverySettings({ ...replay, command, own, capacities })],
  ] as const)
    files.put(name, text, { owner });
  return new Feeder({ own: files, feed, segmentBytes: walSegmentBytes, owner, clock });
}

/** Gone when we are, so that a server doesn't wait for nobody. */
async function markOfLife(otherwise: string): Promise<string> {
  const process_ = `/proc/${process.pid}`;
  return await access(process_).then(
    () => process_,
    () => otherwise,
  );
}

async function startOn(
  { owner }: Workplace,
  { folder, feed, listener, clock }: Replay,
  programs: string,
): Promise<ReplayingServer> {
  const sizes = feed.order.map(({ from, to }) => Number(to - from));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  const [size = 0] = sizes;
  return await ReplayingServer.start({
    programs,
    data: dataIn(folder),
    configuration: join(ownFolderIn(folder), 'postgresql.conf'),
    owner,
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
