import type { StoredContent } from '../../../repository/content.ts';
import type { ServerConnection } from '../connect.ts';
import type { Dumping } from './back-up.ts';
import { succeeded } from './client.ts';
import { libpqEnvironment } from './libpq.ts';
import { unstalled, usualQuietMs } from './unstalled.ts';

export type Globals =
  | { readonly kind: 'with passwords' | 'without passwords'; readonly stored: StoredContent }
  | { readonly kind: 'none' };

/** Roles and tablespaces; passwords of roles (their hashes) only where the role may read them. */
export async function dumpGlobals(
  { client, options, walk, server }: Dumping,
  connection: ServerConnection,
): Promise<Globals> {
  const { url, clock, component } = options;
  const { signal, store, listener } = walk;
  const [[mayRead] = []] = await connection.rows("select has_table_privilege('pg_authid', 'select')");
  const kind = mayRead === 't' ? 'with passwords' : 'without passwords';
  if (kind === 'without passwords') {
    const data = { item: `${component}: passwords of roles`, reason: 'the role may not read pg_authid' };
    listener({ kind: 'note', name: 'left-out', data });
  }
  const without = kind === 'with passwords' ? [] : ['--no-role-passwords'];
  const args = ['--globals-only', '--no-password', `--database=${server.database}`, ...without];
  const own = { connection: libpqEnvironment(url), clock, signal, input: 'empty' } as const;
  await using dump = await client.start('pg_dumpall', args, own);
  const stream = async function* (): AsyncGenerator<Uint8Array> {
    yield* unstalled('pg_dumpall', dump.output, { clock, signal, mostMs: usualQuietMs });
    await succeeded('pg_dumpall', dump, signal);
  };
  return { kind, stored: await store({ kind: 'stream', stream: stream(), cut: 'rabin' }) };
}
