import pg from 'pg';
import { codes } from '../../errors/codes.ts';
import { HoldfastError } from '../../errors/error.ts';
import { withDeadline } from '../../flow/abort.ts';
import { splitCopies, type CopySplitter } from './copied-data.ts';
import { mendingOf } from './mending.ts';
import { ReplicationCommand, type Answer, type CommandOptions, type Copied } from './replication.ts';
import { stalled, usualWaits, watchWaits, type Waits } from './waits.ts';

/** One connection to a server, for statements or, with 'replication', for commands of that protocol. */
export interface ServerConnection extends AsyncDisposable {
  /** The rows of one statement, every column as text. */
  rows(text: string, values?: readonly string[]): Promise<readonly (readonly (string | null)[])[]>;
  /** `copied`: how copied data is told; each message as a whole unless it is said. */
  command(text: string, copied?: Copied): AsyncGenerator<Answer, void>;
  /** A command in whose midst both sides send. */
  converse(text: string): Conversation;
}

export interface Conversation {
  readonly answers: AsyncGenerator<Answer, void>;
  /** After 'copy-start'. */
  send(bytes: Uint8Array): void;
  /** Says that no more is sent; answers may still come. */
  end(): void;
}

export interface ConnectOptions {
  /** As libpq takes it: `postgres://user:password@host:port/database?sslmode=verify-full`. */
  readonly url: string;
  /** Instead of the one of the address. */
  readonly database?: string;
  readonly use: 'statements' | 'replication';
  readonly signal: AbortSignal;
  /** Told what the server says beside its answers: notices and warnings. */
  readonly onNotice?: (message: string) => void;
  readonly waits?: Waits;
  /** Of the server, for this connection: before those of the role and the database. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Connections of a backup wait for one another, for hours: a server of 14 or later is not to end them for that. */
export const unhurried = { idle_session_timeout: '0', statement_timeout: '0' } as const;

/** After so long without a byte the host is asked whether it is still there. */
const keepAliveMs = 60_000;

/**
 * 'source-failed' where the server can't be reached, refuses the user, fails, or keeps us waiting beyond `waits`; messages
 * hold no password.
 */
export async function connectTo(options: ConnectOptions): Promise<ServerConnection> {
  const { signal, onNotice, waits = usualWaits } = options;
  signal.throwIfAborted();
  const client = clientFor(options);
  client.on('error', () => undefined); // what was asked hears of it
  if (onNotice !== undefined) client.on('notice', ({ message }) => onNotice(message ?? ''));
  const abort = (): void => cut(client);
  signal.addEventListener('abort', abort, { once: true });
  const closed = new AbortController();
  const dispose = async (): Promise<void> => {
    closed.abort();
    signal.removeEventListener('abort', abort);
    await goodbye(client, waits);
  };
  const reached = { client, waits, signal, closed: closed.signal };
  const splitter = await letIn(reached, dispose);
  const bound = { ...reached, splitter };
  const asked = async (text: string, values: readonly string[]): Promise<unknown> =>
    await inTime(bound, waits.answerMs, 'when it was asked', async () => await ask(client, text, values));
  return {
    rows: async (text, values = []) => await told(signal, async () => rowsOf(await asked(text, values))),
    command: (text, copied) => converse(bound, text, { copyIn: 'refused', copied }).answers,
    converse: (text) => converse(bound, text, { copyIn: 'sent' }),
    [Symbol.asyncDispose]: dispose,
  };
}

interface Reached {
  readonly client: pg.Client;
  readonly waits: Waits;
  readonly signal: AbortSignal;
  /** Aborted once nobody wants the connection any more, even of one whose answers were left in the midst. */
  readonly closed: AbortSignal;
}

type Bound = Reached & { readonly splitter: CopySplitter };

async function letIn(reached: Reached, dispose: () => Promise<void>): Promise<CopySplitter> {
  const { client, waits, signal } = reached;
  try {
    return await inTime(reached, waits.connectMs, 'when it was to let us in', async () => {
      const connected = client.connect();
      const splitter = splitCopies(client);
      await connected;
      return splitter;
    });
  } catch (error) {
    await dispose();
    signal.throwIfAborted();
    throw failed(error);
  }
}

/** Whatever waits for the connection hears that it is over. */
function cut(client: pg.Client): void {
  client.connection.stream.destroy();
}

async function inTime<Result>(
  { client, waits: { clock }, signal }: Reached,
  ms: number,
  during: string,
  task: () => Promise<Result>,
): Promise<Result> {
  const late = (): HoldfastError => {
    cut(client);
    return stalled(`${client.host}:${client.port}`, during, ms);
  };
  return await withDeadline({ ms, clock, signal, error: late }, task);
}

type HowToConverse = Required<Pick<CommandOptions, 'copyIn'>> & { readonly copied?: Copied | undefined };

function converse(bound: Bound, text: string, { copyIn, copied = 'messages' }: HowToConverse): Conversation {
  const { waits, splitter } = bound;
  const command = new ReplicationCommand(text, { clock: waits.clock, splitter, copyIn, copied });
  return {
    answers: toldEach(bound.signal, answersInTime(bound, command, text)),
    send: (bytes) => command.send(bytes),
    end: () => command.endCopy(),
  };
}

/** The command is sent when the first answer is asked for. */
async function* answersInTime(
  { client, waits, closed }: Bound,
  command: ReplicationCommand,
  text: string,
): AsyncGenerator<Answer, void> {
  client.query(command);
  const ended = new AbortController();
  const during = `when it was to send what ${/^\w+/.exec(text)?.[0] ?? 'was asked for'} asks for`;
  const late = (ms: number): void => {
    command.handleError(stalled(`${client.host}:${client.port}`, during, ms));
    cut(client);
  };
  const watching = watchWaits(waits, () => command.waiting, {
    done: AbortSignal.any([ended.signal, closed]),
    late,
  });
  try {
    yield* command.answers();
  } finally {
    ended.abort();
    await watching;
  }
}

/** A server that doesn't answer it is left without. */
async function goodbye(client: pg.Client, { clock, endMs }: Waits): Promise<void> {
  const ended = new AbortController();
  const late = clock.sleep(endMs, ended.signal).then(
    () => cut(client),
    () => undefined, // it answered
  );
  await Promise.race([client.end(), late]);
  ended.abort();
  await late;
}

/** Simple statements go without parameters, which the replication protocol doesn't know. */
async function ask(client: pg.Client, text: string, values: readonly string[]): Promise<unknown> {
  const query = { text, rowMode: 'array' as const, types: asText };
  return await client.query(values.length === 0 ? query : { ...query, values: [...values] });
}

const asText = { getTypeParser: () => (value: string | Buffer) => value.toString() };

function clientFor({ url, database, use, settings = {} }: ConnectOptions): pg.Client {
  try {
    const connectionString = addressFor(database === undefined ? url : inDatabase(url, database), use);
    return new pg.Client({
      connectionString,
      options: Object.entries(settings)
        .map(([name, value]) => `-c ${name}=${value}`)
        .join(' '),
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveMs,
      fallback_application_name: 'holdfast',
    });
  } catch (error) {
    // Not as the cause: the error of a URL that can't be read quotes it.
    const reason = error instanceof Error ? error.message : 'it is none';
    throw new HoldfastError('refused', `the address of the PostgreSQL server can't be used: ${reason}`);
  }
}

/** The same address, of another database. */
function inDatabase(url: string, database: string): string {
  const address = URL.parse(url);
  if (address === null) throw new HoldfastError('refused', 'it can’t be understood');
  address.pathname = `/${encodeURI(database.toWellFormed())}`;
  return address.href;
}

/** `sslmode` means what it means to libpq. */
function addressFor(url: string, use: ConnectOptions['use']): string {
  if (!/^postgres(?:ql)?:\/\//.test(url))
    throw new HoldfastError('refused', 'it begins neither with postgres:// nor with postgresql://');
  const added = [
    ...(/[?&]sslmode=/.test(url) ? ['uselibpqcompat=true'] : []),
    ...(use === 'replication' ? ['replication=true'] : []),
  ];
  return added.reduce((address, one) => `${address}${address.includes('?') ? '&' : '?'}${one}`, url);
}

async function told<Result>(signal: AbortSignal, body: () => Promise<Result>): Promise<Result> {
  try {
    return await body();
  } catch (error) {
    signal.throwIfAborted();
    throw failed(error);
  }
}

async function* toldEach(signal: AbortSignal, answers: AsyncGenerator<Answer, void>): AsyncGenerator<Answer, void> {
  try {
    yield* answers;
  } catch (error) {
    signal.throwIfAborted();
    throw failed(error);
  }
}

/** The server's code stays, for whoever can go on with some of them. */
export class ServerError extends HoldfastError {
  readonly sqlState: string;

  constructor(sqlState: string, message: string, cause: unknown) {
    super('source-failed', `the PostgreSQL server said: ${message} (${sqlState})`, { cause, next: ofBackup(cause) });
    this.sqlState = sqlState;
  }
}

/** Most connections are those of backups; what else is at work says what is so of it. */
function ofBackup(cause: unknown): string {
  return [mendingOf(cause), codes['source-failed'].next].filter((part) => part !== undefined).join(' ');
}

function failed(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  if (error instanceof pg.DatabaseError) {
    const { code = 'XX000', message, detail, hint } = error;
    return new ServerError(code, [message, detail, hint].filter((part) => part !== undefined).join('; '), error);
  }
  const reason = error instanceof Error && error.message !== '' ? error.message : 'the connection failed';
  const details = { cause: error, next: ofBackup(error) };
  return new HoldfastError('source-failed', `the PostgreSQL server can't be asked: ${reason}`, details);
}

function rowsOf(result: unknown): readonly (readonly (string | null)[])[] {
  const rows: unknown = typeof result === 'object' && result !== null && 'rows' in result ? result.rows : [];
  if (!Array.isArray(rows)) return [];
  return rows.map((row: unknown) =>
    Array.isArray(row) ? row.map((value: unknown) => (typeof value === 'string' ? value : null)) : [],
  );
}
