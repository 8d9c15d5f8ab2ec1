import { randomBytes } from 'node:crypto';
import type { Listener } from '../../events/events.ts';
import { connectTo, ServerError, unhurried } from './connect.ts';

export interface HoldOptions {
  readonly url: string;
  readonly major: number;
  readonly component: string;
  readonly signal: AbortSignal;
  readonly listener: Listener;
}

/** No slot or no sender is free, or the server has none at all. */
const noneToBeHad: readonly string[] = ['53400', '53300', '55000'];

/**
 * Has the server keep its log from now on, by a temporary slot: it is gone with its connection, however that ends. Where
 * none can be had the backup goes on without, which a note 'no-slot' {component, reason} tells: should the server
 * recycle what the backup needs, the backup fails by name.
 */
export async function holdLog({ url, major, component, signal, listener }: HoldOptions): Promise<AsyncDisposable> {
  const name = `holdfast_${randomBytes(6).toHex()}`;
  const reserve = major < 15 ? 'RESERVE_WAL' : '(RESERVE_WAL)';
  try {
    await using stack = new AsyncDisposableStack();
    const connection = stack.use(await connectTo({ url, use: 'replication', signal, settings: unhurried }));
    const answers = connection.command(`CREATE_REPLICATION_SLOT "${name}" TEMPORARY PHYSICAL ${reserve}`);
    for await (const answer of answers) void answer;
    return stack.move();
  } catch (error) {
    if (!(error instanceof ServerError && noneToBeHad.includes(error.sqlState))) throw error;
    listener({ kind: 'note', name: 'no-slot', data: { component, reason: error.message } });
    return { [Symbol.asyncDispose]: async () => undefined };
  }
}
