import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkStartUp } from './start-up.ts';

test('version and snapshots load modules of ours and no package', () => {
  const { findings, remarks = [] } = checkStartUp();
  assert.deepEqual(findings, []);
  assert.match(remarks.join('\n'), /holdfast version loads [1-9]\d* modules of src\/\nholdfast snapshots loads [1-9]/);
});
