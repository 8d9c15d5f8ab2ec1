import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtHand } from './at-hand.ts';
import type { Packed } from './packing.ts';

const segment = (number: number, mebibytes = 16) => ({ name: `${number}`, sizeBytes: () => mebibytes * 2 ** 20 });

/** Reads anything, and counts. */
function reading() {
  const [read, freed]: [string[], string[]] = [[], []];
  const packing = {
    read: async (name: string): Promise<Packed> => {
      read.push(name);
      return { file: { kind: 'backup' }, free: () => void freed.push(name) };
    },
  };
  return { read, freed, packing };
}

test('a file that several want is read once, and its memory is free once the last of them gives it up', async () => {
  const { read, freed, packing } = reading();
  const atHand = new AtHand(packing, 2);
  const one = segment(1);
  const [near, far] = [atHand.hold(one), atHand.hold(one)];
  await near.file();
  const optional = near.again();
  near[Symbol.dispose]();
  near[Symbol.dispose]();
  far[Symbol.dispose]();
  await optional.file();
  assert.deepEqual(freed, []);
  optional[Symbol.dispose]();
  await Promise.resolve();
  assert.deepEqual([read, freed], [['1'], ['1']]);
  atHand.hold(one)[Symbol.dispose](); // who comes later reads it anew
  assert.deepEqual(read, ['1', '1']);
});

test('what a slow lane holds leaves another its share, and a lane alone has all of it', () => {
  const [one, two] = [new AtHand(reading().packing, 1), new AtHand(reading().packing, 2)];
  for (const atHand of [one, two]) for (let number = 1; number <= 6; number++) atHand.hold(segment(number));
  const own = (segments: number): number => segments * 16 * 2 ** 20;
  assert.ok(one.hasRoomFor(segment(7), own(6)));
  assert.ok(!one.hasRoomFor(segment(7, 64), own(6)));
  assert.ok(two.hasRoomFor(segment(7, 64), own(0)), 'of its own share');
  assert.ok(!two.hasRoomFor(segment(7, 64), own(1)));
  const shared = segment(8, 64);
  two.hold(shared);
  assert.ok(two.hasRoomFor(shared, own(6)), 'it is in memory already');
});
