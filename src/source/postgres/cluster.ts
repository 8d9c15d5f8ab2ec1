import { rawPathOf, rawPathOfByteString, type RawPath } from '../../bytes/ids.ts';
import type { Clock } from '../../clock/clock.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Listener } from '../../events/events.ts';
import type { Entry } from '../../snapshot/entry.ts';
import type { LogPosition, WalkOptions } from '../source.ts';
import { gatherConfiguration } from './configuration.ts';
import { connectTo, ServerError, unhurried, type ServerConnection } from './connect.ts';
import { describeBackup, type MergedFacts, type ReadingFacts } from './description.ts';
import { entriesOf, fileEntry, folderEntry } from './entries.ts';
import { gather, type Gathered, type GatherOptions } from './gather.ts';
import { beat, type Heartbeat } from './heartbeat.ts';
import { holdLog } from './hold-log.ts';
import { readHost } from './host/read-host.ts';
import { assertOwnHost, hostFacts } from './host/same-host.ts';
import { CantMerge, incrementalBase } from './incremental/base.ts';
import type { PostgresOptions } from './options.ts';
import { toBeCounted, type RowCounts } from './row-counts.ts';
import { serverFacts } from './server.ts';
import { Spool } from './spool.ts';

export interface ClusterOptions extends Omit<PostgresOptions, 'url' | 'primary'> {
  readonly url: string;
  /** Where the backup of a standby's data directory starts and stops; undefined: on the standby. */
  readonly primary: string | undefined;
  readonly component: string;
  readonly clock: Clock;
  /** Told once all is there. */
  readonly onPosition: (position: LogPosition) => void;
}

/**
 * A base backup over the replication protocol as entries below a folder of the component's name:
 *
 * - `data/` — a data directory that starts: with the log from where the backup began to where it ended, tablespaces as
 *   folders `pg_tblspc/<oid>/PG_…` (start it with allow_in_place_tablespaces=on), the server's own manifest.
 * - `configuration/` — files of the configuration that stand elsewhere, by their absolute paths.
 * - `postgres.json` — what it is a backup of, and where things stood.
 *
 * Contents are stored as they come; the tree is made once all is there and held against the manifest.
 */
export async function* backUpCluster(options: ClusterOptions, walk: WalkOptions): AsyncGenerator<Entry> {
  const { store } = walk;
  if (store === undefined) throw new HoldfastError('internal', 'a cluster is read only to be stored');
  const timeNs = options.clock.nowNs();
  await using server = await connectTo({ url: options.url, use: 'statements', signal: walk.signal });
  const facts = await serverFacts(server);
  for (const [name, value] of Object.entries(unhurried)) await server.rows(`set ${name} = ${value}`);
  using spool = new Spool();
  const inside = (name: string): RawPath => rawPathOf(`${options.component}/${name}`);
  const cutBefore = async (path: RawPath): Promise<number | undefined> =>
    await walk.cutBefore?.(rawPathOfByteString(`${inside('data')}/${path}`));
  const receiving = { spool, store, cutBefore, listener: walk.listener, server: facts, timeNs };
  const heartbeat = await beatOnce(options, walk);
  const count = await toCount(options, walk.signal);
  const gathered: Received & { readonly reading?: ReadingFacts } =
    options.reading === 'host'
      ? await readHost(server, { ...options, ...receiving, facts, parent: walk.parent, signal: walk.signal })
      : await receive(server, options, walk, receiving);
  const counts = await count?.();
  using configuration = await gatherConfiguration(server, facts, { ...walk, store });
  yield* entriesOf(configuration.spool, inside('configuration'));
  yield* entriesOf(spool, inside('data'));
  yield folderEntry(inside('data'), { ...gathered.owner, mode: facts.dataMode, mtimeNs: timeNs });
  const { reading, merged } = gathered;
  const described = { facts, gathered, configuration: configuration.files, reading, merged, counts, heartbeat, timeNs };
  const description = describeBackup(described);
  yield fileEntry(inside('postgres.json'), description, timeNs);
  const { system, start, end } = gathered;
  options.onPosition({ stream: system, epoch: start.timeline, from: start.lsn, to: end.lsn });
}

/** Where the policy wants one. A backup without it is a backup all the same, in part. */
async function beatOnce(
  { url, component, heartbeat: table }: ClusterOptions,
  { listener, signal }: WalkOptions,
): Promise<Heartbeat | undefined> {
  if (table === undefined) return undefined;
  try {
    return await beat({ url, component, table, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof HoldfastError)) throw error;
    const message = `no heartbeat was written to ${table}: ${error.message}`;
    listener({ kind: 'warning', during: 'scan', item: component, message });
    return undefined;
  }
}

/** Which rows are counted once the backup has ended, where the policy wants it. */
async function toCount(
  { url, counts, clock }: ClusterOptions,
  signal: AbortSignal,
): Promise<(() => Promise<RowCounts>) | undefined> {
  if (counts === undefined) return undefined;
  return await toBeCounted({ url, signal, clock, tables: counts.tables, forMs: counts.for * 1000 });
}

interface Received extends Gathered {
  readonly system: string;
  readonly merged?: MergedFacts | undefined;
}

type Receiving = Omit<GatherOptions, 'backup'>;

/**
 * What changed since the parent, where the server can tell and the parent has what is to be merged; else everything. A
 * note 'full' {component, reason} tells why.
 */
async function receive(
  server: ServerConnection,
  options: ClusterOptions,
  walk: WalkOptions,
  receiving: Receiving,
): Promise<Received> {
  const full = async (reason: string): Promise<Received> => {
    walk.listener({ kind: 'note', name: 'full', data: { component: options.component, reason } });
    return await receiveBy(options, walk, receiving);
  };
  if (options.incremental === 'never') return await full('the policy wants it so');
  const base = await incrementalBase(server, { ...options, facts: receiving.server, parent: walk.parent });
  if (typeof base === 'string') return await full(base);
  try {
    const { merged } = base;
    return { ...(await receiveBy(options, walk, { ...receiving, base })), merged };
  } catch (error) {
    // Before anything came the server refuses what it was asked for: its summaries are gone, or it stood still since.
    const isRefusal = error instanceof ServerError && receiving.spool.isEmpty();
    if (!(error instanceof HoldfastError) || !(isRefusal || error instanceof CantMerge)) throw error;
    receiving.spool.clear();
    return await full(error.message);
  }
}

/** The slot lasts as long as its connection: with it no log is recycled that the backup still has to send. */
async function receiveBy(
  { url, component, checkpoint, 'max-rate': maxRateMib }: ClusterOptions,
  { listener, signal }: WalkOptions,
  options: Receiving,
): Promise<Received> {
  const corrupt: string[] = [];
  const onNotice = (message: string): void => void (isOfChecksums(message) && corrupt.push(message));
  await using replication = await connectTo({ url, use: 'replication', signal, onNotice, settings: unhurried });
  const system = await systemIdentifier(replication);
  await using _slot = await holdLog({ url, signal, listener, component, major: options.server.major });
  const label = `holdfast ${component}`;
  const backup = { label, checkpoint, maxRateKb: maxRateMib === undefined ? undefined : maxRateMib * 1024 };
  const { base } = options;
  await base?.upload(replication);
  const blocks = base === undefined ? 'all' : 'since';
  const gathered = await gather(replication, { ...options, backup: { ...backup, blocks } });
  if (gathered.pageChecksums === 'wrong') tellCorrupt(component, corrupt, listener);
  return { ...gathered, system };
}

/** What the server warns of while it reads: which page of which file. */
function isOfChecksums(message: string): boolean {
  return /checksum/.test(message);
}

const mostTold = 100;

/** All was sent all the same, and most of it is right: a snapshot with a warning is better than none. */
function tellCorrupt(component: string, notices: readonly string[], listener: Listener): void {
  const told = notices.length === 0 ? ['the server met pages whose checksum is not theirs'] : notices;
  for (const message of told.slice(0, mostTold))
    listener({ kind: 'warning', during: 'scan', item: component, message });
}

async function systemIdentifier(replication: ServerConnection): Promise<string> {
  for await (const answer of replication.command('IDENTIFY_SYSTEM'))
    if (answer.kind === 'row' && typeof answer.values[0] === 'string') return answer.values[0];
  throw new HoldfastError('source-failed', 'the server did not tell its system identifier');
}

/**
 * Whether the server lets the role in for statements and for replication, is of a major that is known, and has its data
 * directory here where that is to be read.
 */
export async function askCluster(
  { url, reading, clock }: Pick<ClusterOptions, 'url' | 'reading' | 'clock'>,
  signal: AbortSignal,
): Promise<void> {
  await using server = await connectTo({ url, use: 'statements', signal });
  await serverFacts(server);
  if (reading === 'host') await assertOwnHost(await hostFacts(server), { clock, signal });
  await using replication = await connectTo({ url, use: 'replication', signal });
  await systemIdentifier(replication);
}
