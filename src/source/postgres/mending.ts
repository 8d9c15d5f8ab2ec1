import { codes } from '../../errors/codes.ts';
import { hasCode, HoldfastError } from '../../errors/error.ts';

/** What a person does about a server that can't be reached or doesn't let us in, by its SQLSTATE or the system's code. */
const byCode: Readonly<Record<string, string>> = {
  '28000': 'See whether the role of the address is there, and whether pg_hba.conf lets it in from this host.',
  '28P01': 'See the password: in the address, else in $PGPASSWORD, else in the password file.',
  '3D000': 'See the database that the address names.',
  '42501': 'Grant the role of the address what it lacks: `holdfast postgres setup COMPONENT` says what.',
  '53300': 'See who takes the server’s connections (max_connections, max_wal_senders).',
  '53400': 'See the server’s limits (max_replication_slots): `holdfast postgres setup COMPONENT` counts them.',
  '55000': 'See what the server lacks: `holdfast postgres setup COMPONENT`.',
  '55006': 'See who uses it: `holdfast postgres stream` may run for this component already, here or on another host.',
  '57P03': 'The server is starting, or ending: wait until it lets anybody in.',
  'ECONNREFUSED': 'See that the server runs, and listens at that host and port.',
  'EHOSTUNREACH': 'See the way to that host.',
  'ENOENT': 'See that the server runs, and where its socket stands.',
  'ENOTFOUND': 'See the host’s name.',
  'ETIMEDOUT': 'See the way to that host, and what its firewall lets through.',
};

/** By the first cause that a person can do something about; undefined where its own words say all there is. */
export function mendingOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const own = 'sqlState' in error ? error.sqlState : 'code' in error ? error.code : undefined;
  const isAnother = own === 'ENOENT' && !('syscall' in error && error.syscall === 'connect'); // as a program that is missing
  return (isAnother ? undefined : byCode[String(own)]) ?? mendingOf(error.cause);
}

/** The failure of a server, with what to do about it, and what is so of the work that it ended. */
export function withMending(error: unknown, unharmed: string): unknown {
  if (!hasCode(error, 'source-failed')) return error;
  const next = [ownAdvice(error) ?? mendingOf(error), unharmed].filter((part) => part !== undefined).join(' ');
  return new HoldfastError('source-failed', error.message, { cause: error, next });
}

/** What is more exact than what is said of any failure of a source, which speaks of a backup. */
function ownAdvice({ next }: HoldfastError): string | undefined {
  const own = next.replace(codes['source-failed'].next, '').trim();
  return own === '' ? undefined : own.replace(/[^.]$/, '$&.');
}
