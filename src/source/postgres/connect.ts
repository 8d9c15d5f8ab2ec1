import pg from 'pg';
import { HoldfastError } from '../../errors/error.ts';
import { ReplicationCommand, type Answer } from './replication.ts';

/** One connection to a server, for statements or, with 'replication', for commands of that protocol. */
export interface ServerConnection extends AsyncDisposable {
  /** The rows of one statement, every column as text. */
  rows(text: string, values?: readonly string[]): Promise<readonly (readonly (string | null)[])[]>;
  command(text: string): AsyncGenerator<Answer, void>;
}

export interface ConnectOptions {
  /** As libpq takes it: `postgres://user:password@host:port/database?sslmode=verify-full`. */
  readonly url: string;
  readonly use: 'statements' | 'replication';
  readonly signal: AbortSignal;
  /** Told what the server says beside its answers: notices and warnings. */
  readonly onNotice?: (message: string) => void;
}

const connectMs = 30_000;

/** 'source-failed' where the server can't be reached, refuses the user or fails; messages hold no password. */
export async function connectTo({ url, use, signal, onNotice }: ConnectOptions): Promise<ServerConnection> {
  signal.throwIfAborted();
  const client = clientFor(url, use);
  client.on('error', () => undefined); // what was asked hears of it
  if (onNotice !== undefined) client.on('notice', ({ message }) => onNotice(message ?? ''));
  const abort = (): void => void client.connection.stream.destroy();
  signal.addEventListener('abort', abort, { once: true });
  const dispose = async (): Promise<void> => {
    signal.removeEventListener('abort', abort);
    await client.end();
  };
  try {
    await client.connect();
  } catch (error) {
    await dispose();
    signal.throwIfAborted();
    throw failed(error);
  }
  return {
    rows: async (text, values = []) => await told(signal, async () => rowsOf(await ask(client, text, values))),
    command: (text) => toldEach(signal, client.query(new ReplicationCommand(text)).answers()),
    [Symbol.asyncDispose]: dispose,
  };
}

/** Simple statements go without parameters, which the replication protocol doesn't know. */
async function ask(client: pg.Client, text: string, values: readonly string[]): Promise<unknown> {
  const query = { text, rowMode: 'array' as const, types: asText };
  return await client.query(values.length === 0 ? query : { ...query, values: [...values] });
}

const asText = { getTypeParser: () => (value: string | Buffer) => value.toString() };

function clientFor(url: string, use: ConnectOptions['use']): pg.Client {
  try {
    const connectionString = addressFor(url, use);
    return new pg.Client({
      connectionString,
      connectionTimeoutMillis: connectMs,
      keepAlive: true,
      fallback_application_name: 'holdfast',
    });
  } catch (error) {
    // Not as the cause: the error of a URL that can't be read quotes it.
    const reason = error instanceof Error ? error.message : 'it is none';
    throw new HoldfastError('refused', `the address of the PostgreSQL server can't be used: ${reason}`);
  }
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
    super('source-failed', `the PostgreSQL server said: ${message} (${sqlState})`, { cause });
    this.sqlState = sqlState;
  }
}

function failed(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  if (error instanceof pg.DatabaseError) {
    const { code = 'XX000', message, detail, hint } = error;
    return new ServerError(code, [message, detail, hint].filter((part) => part !== undefined).join('; '), error);
  }
  const reason = error instanceof Error && error.message !== '' ? error.message : 'the connection failed';
  return new HoldfastError('source-failed', `the PostgreSQL server can't be asked: ${reason}`, { cause: error });
}

function rowsOf(result: unknown): readonly (readonly (string | null)[])[] {
  const rows: unknown = typeof result === 'object' && result !== null && 'rows' in result ? result.rows : [];
  if (!Array.isArray(rows)) return [];
  return rows.map((row: unknown) =>
    Array.isArray(row) ? row.map((value: unknown) => (typeof value === 'string' ? value : null)) : [],
  );
}
