import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  chosen,
  parseLogicalDescription,
  type DumpedDatabase,
  type LogicalDescription,
} from '../logical/description.ts';
import { ownFolder } from '../logical/empty-cluster.ts';
import { bringUpDumps, programsForDumps, type LogicalRehearsalOptions } from '../logical/rehearse.ts';
import { notUp, type Copying } from './copy.ts';

/** A dump is loaded into an empty cluster of its major, roles first: what a part of it needs is then there too. */
export function copyOfDump(options: LogicalRehearsalOptions): Copying {
  return {
    expect: (text, named) => {
      const described = parseLogicalDescription(text);
      return { major: described.major, bytes: meant(described, named).liveBytes };
    },
    programs: async (restored, signal) => await programsForDumps(options, restored, signal),
    bringUp: async ({ sandbox, restored }, named, signal) => {
      const text = await readFile(join(restored, options.component, 'postgres.json'), 'utf8');
      const { name } = meant(parseLogicalDescription(text), named);
      const { steps, server } = await bringUpDumps(options, { sandbox, restored, signal, only: name });
      if (server === undefined) throw notUp(steps);
      return {
        database: name,
        superuser: server.superuser,
        socketFolder: join(restored, ownFolder),
        in: async (database, body) => await server.in(database, body),
      };
    },
  };
}

/** Without a name that of the address, as in a cluster. An address that leads to `postgres` names none of the dumps. */
function meant(described: LogicalDescription, named: string | undefined): DumpedDatabase {
  const { databases, database } = described;
  const isNone = database === 'postgres' && !databases.some(({ name }) => name === database);
  return chosen(described, named ?? (isNone ? undefined : database));
}
