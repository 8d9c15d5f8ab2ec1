import { test } from 'node:test';
import { runOk } from '../support/run-program.ts';
import { runSystem, withoutSystems } from './run-system.ts';

const title = 'S5 mobile security: a year of its backups, and everything back after a loss';

test(title, { skip: withoutSystems() }, async (context) => {
  await runSystem(context, {
    name: 'S5 Mobile security',
    example: 's5-mobile-security',
    rotated: 'gcs',
    dearest: 'database',
    databases: [
      {
        component: 'database',
        name: 'security',
        kept: ['log'],
        rows: { devices: 700, findings: 3500 },
        tables: `
          create table devices as select id, md5(id::text) as fingerprint from generate_series(1, 700) id;
          create table findings as select id, 1 + id % 700 as device, id % 4 as severity from generate_series(1, 3500) id;`,
      },
      {
        component: 'database-development',
        name: 'security_development',
        kept: ['logical'],
        rows: { devices: 20 },
        tables: 'create table devices as select id from generate_series(1, 20) id;',
      },
    ],
    caches: [],
    files: {
      '/srv/security/uploads/today.apk': '',
      '/srv/security/uploads/reports/1.pdf': 'a report '.repeat(5000),
      '/etc/security-app/app.yaml': 'scan: daily\n',
      '/etc/security-app/.env.enc': 'U2FsdGVkX1\n',
      '/etc/nginx/nginx.conf': 'events {}\n',
      '/etc/ssl/openssl.cnf': '[req]\n',
      '/var/log/security-app/app.log': 'scanned\n'.repeat(2000),
      '/mongodb/events.bson': 'an event '.repeat(5000),
    },
    prepare: async (live) => {
      const mirror = live('/srv/mirrors/security.git');
      const git = async (...args: readonly string[]): Promise<Buffer> => await runOk('git', ['-C', mirror, ...args]);
      await runOk('git', ['init', '--quiet', '--bare', mirror]);
      const tree = (await git('mktree')).toString().trim();
      const who = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.com'];
      const commit = (await git(...who, 'commit-tree', '-m', 'Begin', tree)).toString().trim();
      await git('update-ref', 'refs/heads/main', commit);
    },
    lost: ['uploads', 'configuration', 'logs'],
    dumps: { 'events': 'events.archive', 'source-code': 'security.bundle' },
    standIns: { mongodump: { folder: '/mongodb' } },
    found: { database: { 'devices': '700', 'findings': '3500', 'tables are there': '2' }, uploads: {} },
    otherwise: {},
  });
});
