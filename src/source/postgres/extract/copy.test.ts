import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notUp } from './copy.ts';

test('a copy that finds no room to come up is not called damaged, and it is told where room lacks', () => {
  const step = { name: 'start', expected: 'a cluster that comes up' } as const;
  const full = notUp([
    { ...step, state: 'not run', found: 'FATAL:  could not write to file "pg_wal/x": File too large' },
  ]);
  assert.deepEqual([full.code, /below the state folder.*Nothing was changed/.test(full.next)], ['refused', true]);
  const library = notUp([{ ...step, state: 'not run', found: 'could not load library' }]);
  assert.equal(library.next, 'Nothing was changed.');
  const broken = notUp([{ ...step, state: 'failed', found: 'PANIC:  could not locate a valid checkpoint record' }]);
  assert.deepEqual([broken.code, /verify this one/.test(broken.next)], ['damaged', true]);
});
