import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isKilled, killingAt, switchCall, unguarded } from '../../../test/support/switching.ts';
import { tempDir, type TempDir } from '../../../test/support/temp-dir.ts';
import { systemPath } from '../../bytes/ids.ts';
import type { StepCall } from '../../plan/plan.ts';
import { placesOf, type Places } from './places.ts';
import { switchingContents, type Move } from './switch-contents.ts';

const odd = Buffer.from([0x6f, 0xff]);
const old = { both: 'old', gone: 'old' };
const fresh = { both: 'new', came: 'new' };

/** As a restore leaves it: the restored one inside, and live what there was. */
async function prepare(dir: TempDir, isFilled: boolean): Promise<{ readonly call: StepCall; readonly places: Places }> {
  const call = switchCall('switch-contents', dir.file('live'), { replace: 'contents' });
  const places = placesOf(call);
  for (const folder of [places.live, places.restored]) mkdirSync(folder, { recursive: true });
  mkdirSync(join(places.live, 'lost+found'));
  if (isFilled) fill(places.live, old);
  fill(places.restored, fresh);
  chmodSync(places.live, 0o701);
  chmodSync(places.restored, 0o750);
  return { call, places };
}

function fill(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  mkdirSync(join(folder, 'folder'));
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/folder/`), odd]), 'deep');
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), odd]), 'odd');
}

/** Top-level names with contents, without the plan's folder. */
function contentOf(folder: string): Readonly<Record<string, string>> {
  const names = existsSync(folder) ? readdirSync(folder, { encoding: 'latin1' }) : [];
  const own = names.filter((name) => !name.startsWith('.holdfast-') && name !== 'lost+found').toSorted();
  return Object.fromEntries(own.map((name) => [name, textAt(Buffer.from(`${folder}/${name}`, 'latin1'))]));
}

function textAt(path: Buffer): string {
  return statSync(path).isDirectory() ? 'a folder' : readFileSync(path, 'utf8');
}

/** Kills at the n-th move: before it, or after it. */
function killing(at: number, when: 'before' | 'after'): Move {
  const counted = killingAt(at, when);
  return (from, to) => counted(() => renameSync(systemPath(from), systemPath(to)));
}

const all = (files: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
  const more = { ...files, 'folder': 'a folder', 'o\u00ff': 'odd' };
  return Object.fromEntries(Object.entries(more).toSorted(([a], [b]) => (a < b ? -1 : 1)));
};

test('killed between any two moves, a switch of contents and its undo are completed; names are bytes', async () => {
  let kills = 0;
  for (const isFilled of [true, false]) {
    for (const way of ['run', 'run, then undo', 'undo'] as const) {
      for (let at = 1, killed = true; killed; at += 1) {
        for (const when of ['before', 'after'] as const) {
          await using dir = await tempDir();
          const { call, places } = await prepare(dir, isFilled);
          const [whole, broken] = [switchingContents(unguarded), switchingContents(unguarded, killing(at, when))];
          if (way === 'undo') await whole.run(call);
          killed = await isKilled(way === 'undo' ? broken.undo?.(call) : broken.run(call));
          if (killed && way === 'run') assert.equal(await whole.isDone(call), 'not done');
          kills += Number(killed);
          await (way === 'run' ? whole.run(call) : whole.undo?.(call));
          const where = `${way}, killed ${when} move ${at}, ${isFilled ? 'filled' : 'empty'}`;
          const isNew = way === 'run';
          assert.deepEqual(contentOf(places.live), isNew ? all(fresh) : isFilled ? all(old) : {}, where);
          assert.deepEqual(contentOf(places.kept), isNew && isFilled ? all(old) : {}, where);
          assert.deepEqual(contentOf(places.restored), isNew ? {} : all(fresh), where);
          assert.equal(statSync(places.live).mode & 0o777, isNew ? 0o750 : 0o701, where);
          assert.equal(await whole.isDone(call), isNew ? 'done' : 'not done', where);
          assert.ok(existsSync(join(places.live, 'lost+found')), where);
          if (!isNew) assert.ok(!existsSync(places.kept), where);
        }
      }
    }
  }
  assert.ok(kills >= 60, String(kills));
});

test('what came since goes with what was restored when it is undone', async () => {
  await using dir = await tempDir();
  const { call, places } = await prepare(dir, true);
  const whole = switchingContents(unguarded);
  await whole.run(call);
  writeFileSync(join(places.live, 'written since'), 'since');
  assert.equal(await whole.isDone(call), 'done');
  await whole.run(call);
  await whole.undo?.(call);
  assert.deepEqual(contentOf(places.live), all(old));
  assert.equal(contentOf(places.restored)['written since'], 'since');
});

test('something that comes in the midst is not overwritten: the switch is refused, and can be undone once that is gone', async () => {
  await using dir = await tempDir();
  const { call, places } = await prepare(dir, true);
  assert.ok(await isKilled(switchingContents(unguarded, killing(5, 'before')).run(call)));
  writeFileSync(join(places.live, 'came'), 'foreign');
  await assert.rejects(switchingContents(unguarded).run(call), { code: 'refused' });
  await assert.rejects(async () => await switchingContents(unguarded).undo?.(call), { code: 'refused' });
  assert.equal(readFileSync(join(places.live, 'came'), 'utf8'), 'foreign');
  renameSync(join(places.live, 'came'), dir.file('taken away'));
  await switchingContents(unguarded).undo?.(call);
  assert.deepEqual(contentOf(places.live), all(old));
});

test('a file system that has another device number after a reboot is told apart all the same; no name is too odd', async () => {
  for (const at of [2, 5, 8]) {
    await using dir = await tempDir();
    const { call, places } = await prepare(dir, true);
    writeFileSync(join(places.live, '__proto__'), 'old');
    assert.ok(await isKilled(switchingContents(unguarded, killing(at, 'after')).run(call)));
    const before = join(places.root, 'before');
    const { dev } = statSync(places.live);
    writeFileSync(before, readFileSync(before, 'utf8').replaceAll(`"${dev}:`, `"${dev + 1}:`));
    await switchingContents(unguarded).run(call);
    assert.deepEqual(contentOf(places.live), all(fresh));
    await switchingContents(unguarded).undo?.(call);
    const { ['__proto__']: odder, ...others } = contentOf(places.live);
    assert.deepEqual([odder, others], ['old', all(old)]);
    assert.deepEqual(contentOf(places.restored), all(fresh));
  }
});

test('nothing is called undone while the folder that keeps what was there is not to be seen', async () => {
  await using dir = await tempDir();
  const { call, places } = await prepare(dir, true);
  await switchingContents(unguarded).run(call);
  renameSync(places.live, dir.file('unmounted'));
  mkdirSync(places.live);
  await assert.rejects(async () => await switchingContents(unguarded).undo?.(call), {
    code: 'refused',
    message: /mounted/,
  });
  await assert.rejects(async () => await switchingContents(unguarded).confirm?.(call), { code: 'refused' });
  rmSync(places.live, { recursive: true });
  renameSync(dir.file('unmounted'), places.live);
  await switchingContents(unguarded).undo?.(call);
  assert.deepEqual(contentOf(places.live), all(old));
});

test('what another plan keeps inside is not moved along, to be removed with what this one kept', async () => {
  await using dir = await tempDir();
  const { call, places } = await prepare(dir, true);
  mkdirSync(join(places.live, '.holdfast-fedcba987654-0/kept'), { recursive: true });
  await assert.rejects(switchingContents(unguarded).run(call), { code: 'refused', message: /fedcba987654/ });
  assert.deepEqual(contentOf(places.live), all(old));
});
