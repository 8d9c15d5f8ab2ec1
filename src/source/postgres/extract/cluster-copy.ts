import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { parseDescription } from '../description.ts';
import { endPrepared, openDatabases } from '../proof/databases.ts';
import { bringUp, programsOf, type BringUpOptions } from '../rehearse.ts';
import { ownFolder } from '../sandbox-files.ts';
import type { SandboxedServer } from '../sandboxed-server.ts';
import { notUp, type Copying } from './copy.ts';

/** A cluster that was restored is started, and replays the log to the moment that is wanted. */
export function copyOfCluster(options: BringUpOptions): Copying {
  return {
    expect: (description) => ({ major: parseDescription(description).major, bytes: 0 }),
    programs: async (restored, signal) => await programsOf(options, restored, signal),
    bringUp: async ({ sandbox, restored, replay }, named, signal) => {
      const { steps, server } = await bringUp(options, { sandbox, restored, signal, replay });
      if (server === undefined) throw notUp(steps);
      return {
        database: await databaseOf(server, named),
        superuser: server.description.superuser,
        socketFolder: join(restored, ownFolder),
        in: async (database, body) => await server.in(database, body),
      };
    },
  };
}

async function databaseOf(server: SandboxedServer, named: string | undefined): Promise<string> {
  const databases = await openDatabases(server);
  await endPrepared(server, databases);
  const { database: own } = server;
  if (databases.names.includes(named ?? own)) return named ?? own;
  const others = databases.names.filter((name) => !name.startsWith('template')).join(', ');
  throw new HoldfastError(
    'point-not-found',
    `at that moment there is no database ${named ?? own}; there are ${others}`,
    {
      next: 'Name one of them by --database. Nothing was changed.',
    },
  );
}
