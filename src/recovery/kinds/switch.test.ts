import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { isKilled, killingAt, switchCall, unguarded } from '../../../test/support/switching.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { exchangeNames } from '../../host/exchange.ts';
import { inodeAt } from './inode.ts';
import { placesOf, type Places } from './places.ts';
import { switching, type Renaming } from './switch.ts';

/** As a restore leaves it: the restored one beside, marked. */
function prepare(places: Places, { isLive }: { readonly isLive: boolean }): void {
  const { live, restored, mark } = places;
  mkdirSync(dirname(live), { recursive: true });
  if (isLive) writeFileSync(live, 'old');
  mkdirSync(dirname(restored), { recursive: true });
  writeFileSync(restored, 'new');
  writeFileSync(mark, inodeAt(restored) ?? '');
}

/** Kills at the n-th rename: before it, or after it. */
function killing(at: number, when: 'before' | 'after', exchange: Renaming['exchange']): Renaming {
  const counted = killingAt(at, when);
  return {
    exchange: (first, second) => counted(() => exchange(first, second)),
    rename: (from, to) => counted(() => renameSync(from, to)),
  };
}

const never = (): boolean => false;

test('killed between any two renames, a switch and its undo are completed, with and without an exchange', async () => {
  for (const exchange of [exchangeNames, never]) {
    for (const isLive of [true, false]) {
      for (const way of ['run', 'run, then undo', 'undo'] as const) {
        for (let at = 1, killed = true; killed; at += 1) {
          for (const when of ['before', 'after'] as const) {
            await using dir = await tempDir();
            const call = switchCall('switch', dir.file('srv/data'));
            const places = placesOf(call);
            prepare(places, { isLive });
            const whole = switching(unguarded, { exchange, rename: renameSync });
            const broken = switching(unguarded, killing(at, when, exchange));
            if (way === 'undo') await whole.run(call);
            killed = await isKilled(way === 'undo' ? broken.undo?.(call) : broken.run(call));
            await (way === 'run' ? whole.run(call) : whole.undo?.(call));
            const where = `${way}, killed ${when} rename ${at}, ${isLive ? 'live' : 'gone'}`;
            if (way === 'run') {
              assert.equal(readFileSync(places.live, 'utf8'), 'new', where);
              assert.equal(existsSync(places.kept), isLive, where);
              assert.equal(await whole.isDone(call), 'done', where);
            } else {
              assert.equal(existsSync(places.live) && readFileSync(places.live, 'utf8'), isLive && 'old', where);
              assert.equal(readFileSync(places.restored, 'utf8'), 'new', where);
              assert.equal(existsSync(places.kept), false, where);
            }
          }
        }
      }
    }
  }
});

test('a switch is undone after a reboot that gave the device another number', async () => {
  await using dir = await tempDir();
  const call = switchCall('switch', dir.file('srv/data'));
  const places = placesOf(call);
  prepare(places, { isLive: true });
  const whole = switching(unguarded);
  await whole.run(call);
  // As earlier versions wrote it down, before the reboot.
  writeFileSync(places.mark, `1:${readFileSync(places.mark, 'utf8')}`);
  assert.equal(await whole.isDone(call), 'done');
  await whole.undo?.(call);
  assert.equal(readFileSync(places.live, 'utf8'), 'old');
});

test('a disk that is away is taken neither for undone nor for confirmed; what a confirmation has removed is', async () => {
  await using dir = await tempDir();
  const call = switchCall('switch', dir.file('srv/data'));
  const places = placesOf(call);
  prepare(places, { isLive: true });
  const whole = switching(unguarded);
  await whole.run(call);
  renameSync(dir.file('srv'), dir.file('unmounted'));
  mkdirSync(dir.file('srv'));
  const away = { code: 'refused', message: /is not to be seen: is .* mounted/ };
  await assert.rejects(async () => await whole.undo?.(call), away);
  await assert.rejects(async () => await whole.confirm?.(call), away);
  rmSync(dir.file('srv'), { recursive: true });
  renameSync(dir.file('unmounted'), dir.file('srv'));
  for (let times = 0; times < 2; times += 1) await whole.confirm?.(call);
  assert.equal(existsSync(places.root), false);
  assert.equal(readFileSync(places.live, 'utf8'), 'new');
});

test('what was never marked has nothing to be brought back', async () => {
  await using dir = await tempDir();
  const call = switchCall('switch', dir.file('srv/data'));
  const places = placesOf(call);
  prepare(places, { isLive: true });
  rmSync(places.mark);
  await switching(unguarded).undo?.(call);
  assert.equal(readFileSync(places.live, 'utf8'), 'old');
});
