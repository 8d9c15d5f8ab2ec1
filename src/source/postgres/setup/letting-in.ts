import { HoldfastError } from '../../../errors/error.ts';
import { connectTo, ServerError } from '../connect.ts';
import { insufficientPrivilege } from '../server.ts';

/** Whether the server lets the role in for replication, found by trying. */
export type LettingIn =
  | { readonly state: 'let in' }
  /** `by` what: pg_hba.conf, the role's own attributes, no free sender, or something else. */
  | { readonly state: 'refused'; readonly by: 'pg_hba' | 'role' | 'senders' | 'other'; readonly message: string };

const reasons: Readonly<Record<string, 'pg_hba' | 'role' | 'senders'>> = {
  '28000': 'pg_hba',
  [insufficientPrivilege]: 'role',
  '53300': 'senders',
};

/** pg_hba.conf is asked first, then the role, then whether a sender is free. */
export async function tryReplication(url: string, signal: AbortSignal): Promise<LettingIn> {
  try {
    await using _connection = await connectTo({ url, use: 'replication', signal });
    return { state: 'let in' };
  } catch (error) {
    if (signal.aborted || !(error instanceof HoldfastError)) throw error;
    const by = error instanceof ServerError ? reasons[error.sqlState] : undefined;
    return { state: 'refused', by: by ?? 'other', message: error.message };
  }
}
