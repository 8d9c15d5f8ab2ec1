import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slotName, standbySlotName } from './slot-name.ts';

test('a slot has a name that PostgreSQL takes, and another for each component', () => {
  assert.equal(slotName('shop-db'), 'holdfast_shop_db');
  const long = ['a'.repeat(63), `${'a'.repeat(62)}b`, 'a-'.repeat(31)];
  const names = [...long.map(slotName), ...long.map(standbySlotName)];
  assert.equal(new Set(names).size, 2 * long.length);
  for (const name of names) assert.match(name, /^[a-z0-9_]{1,63}$/);
});
