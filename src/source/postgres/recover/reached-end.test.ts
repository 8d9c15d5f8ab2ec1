import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shortOfEnd } from './reached-end.ts';

test('all that there is was replayed only where the last record that is held was', () => {
  const latest = { moment: { kind: 'latest' } } as const;
  assert.equal(shortOfEnd({ ...latest, end: 0x600_0148n }, 0x600_0148n), undefined);
  assert.match(shortOfEnd({ ...latest, end: 0x600_0148n }, 0x500_0188n) ?? '', /behind 0\/5000188.* to 0\/6000148/);
  assert.match(shortOfEnd({ ...latest, end: 0x600_0148n }, undefined) ?? '', /its beginning/);
  assert.equal(
    shortOfEnd({ ...latest, end: undefined }, undefined),
    undefined,
    'nothing is held but what the backup carries',
  );
  assert.equal(shortOfEnd({ moment: { kind: 'consistent' }, end: 0x600_0148n }, 0x500_0188n), undefined);
});
