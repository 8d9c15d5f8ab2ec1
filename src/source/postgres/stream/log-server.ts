import { HoldfastError } from '../../../errors/error.ts';
import { lineageOf, type Lineage } from '../../../log/cover.ts';
import type { History } from '../../../log/log.ts';
import { connectTo, ServerError, unhurried, type ServerConnection } from '../connect.ts';
import { parseLsn } from '../lsn.ts';
import { serverFacts } from '../server.ts';
import type { Waits } from '../waits.ts';
import { historiesIn } from './history.ts';

/** A server whose log is followed, with a connection for statements and one to stream by. */
export interface LogServer extends AsyncDisposable {
  readonly statements: ServerConnection;
  readonly replication: ServerConnection;
  readonly major: number;
  readonly segmentBytes: number;
  /** The system identifier. */
  readonly stream: string;
  readonly timeline: number;
  /** Where its log ended when it was asked. */
  readonly end: bigint;
  /** Of its timeline and of those before, newest first. */
  readonly histories: readonly History[];
  readonly lineage: Lineage;
}

export interface ServerAddress {
  readonly url: string;
  readonly waits: Waits;
  readonly signal: AbortSignal;
}

export async function openLogServer({ url, waits, signal }: ServerAddress): Promise<LogServer> {
  await using stack = new AsyncDisposableStack();
  const statements = stack.use(await connectTo({ url, use: 'statements', waits, signal }));
  const { major, segmentBytes } = await serverFacts(statements);
  for (const [name, value] of Object.entries(unhurried)) await statements.rows(`set ${name} = ${value}`);
  const replication = stack.use(await connectTo({ url, use: 'replication', waits, signal, settings: unhurried }));
  const identity = await identify(replication);
  const histories = await historiesOf(replication, identity.timeline);
  const lineage = lineageOf(identity.timeline, histories);
  if (lineage === undefined)
    throw new HoldfastError('source-failed', `the server does not tell whence its timeline ${identity.timeline} comes`);
  const kept = stack.move();
  return {
    statements,
    replication,
    major,
    segmentBytes,
    ...identity,
    histories,
    lineage,
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

/** On a connection for replication; of a standby what it replays. */
export async function identify(replication: ServerConnection): Promise<Pick<LogServer, 'stream' | 'timeline' | 'end'>> {
  const [stream, timeline, end] = await rowOf(replication, 'IDENTIFY_SYSTEM');
  if (typeof stream === 'string' && typeof end === 'string')
    return { stream, timeline: Number(timeline), end: parseLsn(end) };
  throw new HoldfastError('source-failed', 'the server did not tell its system identifier');
}

/** The server may have no file of an older timeline any more: that of the newest tells what it was. */
export async function historiesOf(replication: ServerConnection, timeline: number): Promise<readonly History[]> {
  const newest = await historyFile(replication, timeline);
  if (newest === undefined) return [];
  const told = historiesIn(timeline, Buffer.from(newest));
  const histories: History[] = [];
  for (const one of told) histories.push(await ownFile(replication, one, timeline));
  return histories;
}

async function ownFile(replication: ServerConnection, told: History, newest: number): Promise<History> {
  if (told.epoch === newest) return told;
  const text = await historyFile(replication, told.epoch);
  return text === undefined ? told : { ...told, bytes: Buffer.from(text) };
}

/** undefined: there is none, as of the first timeline. */
async function historyFile(replication: ServerConnection, timeline: number): Promise<string | undefined> {
  if (timeline === 1) return undefined;
  try {
    const [, content] = await rowOf(replication, `TIMELINE_HISTORY ${timeline}`);
    return content ?? undefined;
  } catch (error) {
    if (error instanceof ServerError && noFile.includes(error.sqlState)) return undefined;
    throw error;
  }
}

const noFile: readonly string[] = ['58P01', '42P01'];

async function rowOf(replication: ServerConnection, command: string): Promise<readonly (string | null)[]> {
  let row: readonly (string | null)[] = [];
  for await (const answer of replication.command(command)) if (answer.kind === 'row') row = answer.values;
  return row;
}
