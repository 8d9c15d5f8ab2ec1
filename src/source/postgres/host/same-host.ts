import { readFileSync } from 'node:fs';
import { rawPathOf, systemPath, type RawPath } from '../../../bytes/ids.ts';
import { joinPath } from '../../../bytes/unix-path.ts';
import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { errorCode } from '../../../host/system-error.ts';
import type { ServerConnection } from '../connect.ts';
import { readControl } from './control.ts';
import { controlPath, unreadable } from './listing.ts';

/** What a server says of itself that its data directory must say too. */
export interface HostFacts {
  readonly dataDirectory: RawPath;
  readonly systemIdentifier: string;
  readonly port: number;
  readonly startedSeconds: number;
  readonly pageBytes: number;
  /** Of one file of a relation. */
  readonly blocksPerFile: number;
}

/** What tells the server that answers from others. */
export type RunningServer = Pick<HostFacts, 'dataDirectory' | 'systemIdentifier' | 'port' | 'startedSeconds'>;

const question = `select current_setting('data_directory'), (select system_identifier from pg_control_system()),
  current_setting('port'), extract(epoch from pg_postmaster_start_time())::bigint, 
  current_setting('block_size'), (select setting from pg_settings where name = 'segment_size')`;

export async function hostFacts(server: ServerConnection): Promise<HostFacts> {
  const [[directory, system, port, started, pageBytes, blocks] = []] = await server.rows(question);
  return {
    dataDirectory: rawPathOf(directory ?? ''),
    systemIdentifier: system ?? '',
    port: Number(port),
    startedSeconds: Number(started),
    pageBytes: Number(pageBytes),
    blocksPerFile: Number(blocks),
  };
}

/** postmaster.pid is written a little before what the server calls its start. */
const mostApartSeconds = 120;

/**
 * 'refused' unless the server that answered runs on the very data directory that stands at its path on this host: a copy
 * of the cluster at the same path of another host has the same system identifier, but another start or port.
 */
export async function assertOwnHost(facts: RunningServer, { clock, signal }: Watching): Promise<void> {
  const { dataDirectory: root, systemIdentifier, port, startedSeconds } = facts;
  const control = await controlAt(root, { clock, signal });
  if (control.systemIdentifier !== systemIdentifier)
    throw elsewhere(root, `the cluster there is ${control.systemIdentifier}, the server’s is ${systemIdentifier}`);
  const running = runningServer(root);
  if (running === undefined) throw elsewhere(root, 'no server runs on it (it has no postmaster.pid)');
  if (running.port !== port) throw elsewhere(root, `its server listens at port ${running.port}, not ${port}`);
  if (Math.abs(running.startedSeconds - startedSeconds) > mostApartSeconds)
    throw elsewhere(root, 'its server was started at another time');
}

interface Watching {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function controlAt(root: RawPath, { clock, signal }: Watching): ReturnType<typeof readControl> {
  try {
    return await readControl(joinPath(root, controlPath), clock, signal);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') throw elsewhere(root, 'there is no cluster');
    if (errorCode(error) !== undefined) throw unreadable(root, error);
    throw error;
  }
}

/** postmaster.pid: process, data directory, start, port, each a line (src/include/utils/pidfile.h). */
function runningServer(root: RawPath): { readonly startedSeconds: number; readonly port: number } | undefined {
  const place = joinPath(root, 'postmaster.pid');
  try {
    const [, , started, port] = readFileSync(systemPath(place), 'utf8').split('\n');
    return { startedSeconds: Number(started), port: Number(port) };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw unreadable(place, error);
  }
}

function elsewhere(root: RawPath, why: string): HoldfastError {
  return new HoldfastError(
    'refused',
    `the data directory of the server is not this host’s ${root}: ${why}; with \`reading: host\` it has to be`,
    { next: 'Run Holdfast on the host of the server, or leave `reading` at `protocol`.' },
  );
}
