import { test } from 'node:test';
import { withoutSshd } from '../servers/sshd.ts';
import { runSystem, withoutSystems } from './run-system.ts';

const title = 'S2 robotics platform: a year of its backups, and everything back after a loss';

test(title, { skip: withoutSystems() || withoutSshd() }, async (context) => {
  await runSystem(context, {
    name: 'S2 Robotics platform',
    example: 's2-robotics',
    rotated: 'external',
    dearest: 'database',
    databases: [
      {
        component: 'database',
        name: 'robotics_production',
        kept: ['logical', 'log'],
        rows: { users: 300, tasks: 5000, robots: 40 },
        // A task without a robot is none whose robot is gone.
        tables: `
          create table robots as select id, 'robot ' || id as name from generate_series(1, 40) id;
          create table users as select id, 'user ' || id as name, now() as created_at from generate_series(1, 300) id;
          create table tasks as select id, nullif(id % 41, 0) as robot, md5(id::text) as what from generate_series(1, 5000) id;`,
        life: (time) => `update users set created_at = '${time}' where id = 300`,
      },
    ],
    caches: [{ component: 'sidekiq', filename: 'sidekiq.rdb', keys: 200 }],
    files: {
      '/srv/robotics/config/deploy.yml': 'service: robotics\n',
      '/srv/robotics/config/routes.rb': 'resources :robots\n'.repeat(40),
      '/srv/robotics/.kamal/secrets': 'REGISTRY_PASSWORD=$REGISTRY_PASSWORD\n',
      '/etc/nginx/nginx.conf': 'events {}\n',
      '/etc/postgresql/15/main/pg_hba.conf': 'hostssl replication replicator 10.0.0.2/32 scram-sha-256\n',
      '/var/log/robotics/production.log': 'Completed 200 OK\n'.repeat(2000),
    },
    lost: ['application', 'configuration', 'logs'],
    dumps: {},
    standIns: {},
    found: { database: { 'users': '300', 'tasks': '5000', 'robots': '40', 'tasks whose robot is gone': '0' } },
    otherwise: {},
  });
});
