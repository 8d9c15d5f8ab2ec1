import type { ServerFacts } from '../../src/source/postgres/server.ts';

/** What a server of PostgreSQL 18 tells of itself. */
export const serverFacts: ServerFacts = {
  major: 18,
  version: '18.4',
  segmentBytes: 2 ** 24,
  dataMode: 0o700,
  dataChecksums: 'on',
  database: 'postgres',
  superuser: 'postgres',
  capacities: {},
  dataDirectory: '/data',
  configuration: [],
};
