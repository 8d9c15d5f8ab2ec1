import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { switchCall } from '../../../test/support/switching.ts';
import { ownFolder, placesOf } from './places.ts';

test('a plan’s own folder lies beside what it replaces, or in it by a name that its backups leave out', () => {
  const rootOf = (given: Parameters<typeof switchCall>[2]): string =>
    placesOf(switchCall('switch', '/srv/data', given)).root;
  assert.equal(rootOf({}), '/srv/.holdfast-0123456789ab-0');
  const within = rootOf({ replace: 'contents', unseen: 'pgsql_tmp' });
  assert.equal(within, '/srv/data/pgsql_tmp.holdfast-0123456789ab-0');
  for (const root of [rootOf({}), within]) assert.match(basename(root), ownFolder);
});
