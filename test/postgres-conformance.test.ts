import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { sourceKinds } from '../src/source/kinds.ts';
import { smallSegments } from './servers/postgres-program.ts';
import { startPostgresVersion, withoutPostgresVersions, type PostgresMajor } from './servers/postgres-versions.ts';
import { testAtMajors } from './support/at-majors.ts';
import { shared } from './support/shared.ts';
import { proveSource } from './support/sources/conformance.ts';
import { externalPromises } from './support/sources/elsewhere.ts';
import { readingPromises } from './support/sources/reading.ts';
import type { SourceSubject } from './support/sources/subject.ts';
import { component } from './support/sources/trial.ts';

const secret = 'kanarienvogel';
const nobodyListens = `postgres://postgres:${secret}@127.0.0.1:1/postgres`;

/** The address is in a file: a server is lost by writing another one there. */
async function clusterSubject(address: string, data: string, reading: 'protocol' | 'host'): Promise<SourceSubject> {
  const { postgres: kind } = sourceKinds;
  assert.ok(kind);
  const file = 'global/pg_filenode.map';
  const bytes = await readFile(`${data}/${file}`);
  const lose = async (folder: string): Promise<void> => await writeFile(`${folder}/url`, nobodyListens);
  return {
    name: reading === 'host' ? 'PostgreSQL on its host' : 'PostgreSQL',
    kind,
    secret,
    prepare: async (folder) => {
      await writeFile(`${folder}/url`, address.replace('postgres@', `postgres:${secret}@`));
      return { url: { file: `${folder}/url` }, reading };
    },
    reading: {
      expected: () => new Map([[`${component}/data/${file}`, bytes]]),
      spoil: lose,
      empty: lose,
      hang: async (folder) => {
        let open = 0;
        const server = createServer((socket) => {
          open += 1;
          socket.resume();
          socket.on('close', () => (open -= 1)).on('error', () => undefined);
        });
        server.unref();
        await once(server.listen(0, '127.0.0.1'), 'listening');
        const at = server.address();
        assert.ok(typeof at === 'object' && at !== null);
        await writeFile(`${folder}/url`, nobodyListens.replace(':1/', `:${at.port}/`));
        return () => open > 0;
      },
      takeAway: async (folder) => {
        await lose(folder);
        return 'the PostgreSQL server';
      },
    },
  };
}

const ways = {
  'a cluster of PostgreSQL': 'protocol',
  'a cluster of PostgreSQL that is read on its host': 'host',
} as const;

const settings = ['autovacuum=off'];
const serverOf = shared(
  async (major: PostgresMajor) => await startPostgresVersion({ major, initdb: smallSegments, settings }),
);

for (const [what, reading] of Object.entries(ways))
  testAtMajors(
    `${what} keeps the contract of sources`,
    { sample: '18', skip: withoutPostgresVersions() },
    async (major, context) => {
      const server = await serverOf(major);
      const notClaimed = readingPromises.filter(({ needs }) => needs !== undefined && needs !== 'hang');
      const names = [...notClaimed, ...externalPromises].map(({ name }) => name);
      await proveSource(context, await clusterSubject(server.url, server.data, reading), names);
    },
  );
