import type { Dumped, Dumping } from './back-up.ts';
import { libpqEnvironment } from './libpq.ts';
import { proven } from './proven.ts';

/** Locks are waited for so long: a change of a table that never ends would hang a backup for ever. */
const lockWait = '--lock-wait-timeout=10min';

/** Without compression of its own: what didn't change is found again, and the repository compresses. */
export function dumpArguments({ options: { logical }, role }: Dumping): readonly string[] {
  return [
    '--compress=0',
    '--no-password',
    lockWait,
    ...(logical.privileges ? [] : ['--no-privileges']),
    ...(role === 'standby' ? ['--no-unlogged-table-data'] : []),
  ];
}

/** The format custom, stored while it comes; pg_restore reads it beside. */
export async function dumpStream(dumping: Dumping, database: string): Promise<Dumped> {
  const { client, options, walk } = dumping;
  const { clock, url } = options;
  const { signal, listener, store } = walk;
  const onErrorLine = (line: string): void =>
    listener({ kind: 'note', name: 'command-said', data: { program: 'pg_dump', line } });
  const own = { connection: libpqEnvironment(url, database), clock, signal, onErrorLine };
  const args = ['--format=custom', ...dumpArguments(dumping)];
  await using dump = await client.start('pg_dump', args, { ...own, input: 'empty' });
  // It connects to nothing: it needs no address, and gets none.
  const reading = { ...own, connection: {}, input: 'piped' } as const;
  await using reader = await client.start('pg_restore', ['--file=/dev/null'], reading);
  return [
    {
      file: '',
      stored: await store({ kind: 'stream', stream: proven(dump, reader, { signal, clock }), cut: 'rabin' }),
    },
  ];
}
