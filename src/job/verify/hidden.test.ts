import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawPathOf } from '../../bytes/ids.ts';
import { loadPolicy } from '../../policy/load.ts';
import { hiddenOf } from './hidden.ts';

test('no sandbox sees a repository of this host, what it protects, nor the files that open either', () => {
  const { policy } = loadPolicy(`version: 1
repositories: { near: { url: /backups/main, password: { file: /keys/near } } }
components:
  shop-db:
    postgres: { url: { file: /keys/shop-url } }
    backups: { full: { at: "02:00", to: { near: { keep: { daily: 7 } } } } }
`);
  assert.ok(policy);
  assert.deepEqual(hiddenOf(policy, [rawPathOf('/srv/shop')]), [
    '/backups/main',
    '/keys/near',
    '/keys/shop-url',
    '/srv/shop',
  ]);
});
