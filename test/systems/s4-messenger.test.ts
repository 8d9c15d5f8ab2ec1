import { test } from 'node:test';
import { runSystem, withoutSystems } from './run-system.ts';

const title = 'S4 messenger: a year of its backups, and everything back after a loss';

test(title, { skip: withoutSystems() }, async (context) => {
  await runSystem(context, {
    name: 'S4 Messenger',
    example: 's4-messenger',
    rotated: 'rotated',
    dearest: 'messages',
    databases: [
      {
        component: 'messages',
        name: 'messenger',
        kept: [{ filename: 'messenger.dump' }],
        rows: { messages: 6000, channels: 30 },
        tables: `
          create table channels as select id, 'channel ' || id as name from generate_series(1, 30) id;
          create table messages as select id, 1 + id % 30 as channel, md5(id::text) as text from generate_series(1, 6000) id;`,
      },
      {
        component: 'authentication',
        name: 'auth',
        kept: [{ filename: 'auth.dump' }],
        rows: { accounts: 800 },
        tables: `create table accounts as select id, md5('salt' || id) as password from generate_series(1, 800) id;`,
      },
    ],
    caches: [],
    files: {
      '/srv/messenger/preferences/today.json': '',
      '/srv/messenger/preferences/ann.json': '{"theme":"dark"}\n',
      '/srv/messenger/cache/thumbnail': 'not worth a backup\n',
      '/etc/messenger/keys/identity.pem': '-----BEGIN PUBLIC KEY-----\n',
      '/etc/ssl/messenger/chain.pem': '-----BEGIN CERTIFICATE-----\n',
      '/var/lib/libvirt/images/node1.img': 'block '.repeat(20_000),
      '/var/log/messenger/audit.log': 'ann read channel 7\n'.repeat(2000),
      '/network/core-switch.cfg': 'interface vlan 7\n'.repeat(50),
    },
    lost: ['keys', 'preferences', 'machine-images', 'audit'],
    dumps: { 'network-devices': 'network.tar' },
    standIns: { '/usr/local/sbin/collect-network-configuration': { folder: '/network' } },
    found: { messages: {}, authentication: {} },
    otherwise: {},
  });
});
