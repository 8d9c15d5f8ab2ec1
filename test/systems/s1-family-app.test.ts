import { test } from 'node:test';
import { runSystem, withoutSystems } from './run-system.ts';

const release = (name: string): string => `export const version = '${name}';\n`.repeat(50);

test(
  'S1 family app: a year of its backups, and everything back after a loss',
  { skip: withoutSystems() },
  async (context) => {
    await runSystem(context, {
      name: 'S1 Family app',
      example: 's1-family-app',
      rotated: 'glacier',
      dearest: 'database',
      databases: [
        {
          component: 'database',
          name: 'family',
          kept: ['log'],
          rows: { families: 1247, members: 3891, sessions: 542 },
          tables: `
          create table families as select id, 'family ' || id as name from generate_series(1, 1247) id;
          create table members as select id, 1 + id % 1247 as family, md5(id::text) as name from generate_series(1, 3891) id;
          create table sessions as select id, 1 + id % 3891 as member, md5('s' || id) as token from generate_series(1, 542) id;`,
        },
      ],
      caches: [{ component: 'sessions', filename: 'sessions.rdb', keys: 542 }],
      files: {
        '/srv/family-app/static/today.html': '',
        '/srv/family-app/static/index.html': '<h1>Families</h1>\n'.repeat(500),
        '/srv/family-app/release/app.js': release('1.4.2'),
        '/etc/family-app/app.yaml': 'workers: 4\n',
        '/etc/family-app/cloudflare.json': '{"zones":["family.example"]}\n',
        '/etc/nginx/nginx.conf': 'events {}\n',
        '/var/log/family-app/application/app.log': 'started\n'.repeat(2000),
        '/var/log/family-app/access/access.log': 'GET / 200\n'.repeat(2000),
        '/var/log/family-app/error/error.log': 'timeout\n'.repeat(100),
        '/var/log/family-app/security/auth.log': 'login anna\n'.repeat(100),
      },
      lost: ['static', 'configuration', 'code', 'logs-security'],
      dumps: {},
      standIns: {},
      found: { database: { families: '1247', members: '3891', sessions: '542' } },
      otherwise: {},
    });
  },
);
