import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { placeFile, setMood } from './support/elsewhere.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';
import { cheapNear, near, sceneAt, type Scene } from './support/verifying.ts';

const search = `  search:
    tier: t
    elsewhere: { folder: DIR/engine, places: [here, there], site: berlin }
    backups: { nightly: { every: 1d, to: { here: { keep: { last: 3 } }, there: { keep: { last: 1 } } } } }
    verify: [{ every: 1d, from: each }]
`;
const tiers = 'site: kyiv\ntiers: { t: { rpo: 2d, copies: 3, offsite: 2, proof: 2d, proof-each: 2d } }\n';

/** A component whose points stand in two places of its own; records go into a repository. */
async function engine(dir: TempDir): Promise<Scene> {
  await cheapNear(dir.path);
  for (const name of ['live', 'here', 'there']) await mkdir(dir.file('engine', name), { recursive: true });
  await writeFile(dir.file('engine/live/index'), 'one\n');
  return await sceneAt(dir.path, `${tiers}${near}components:\n${search}`, 'elsewhere');
}

async function made(dir: TempDir, place: string): Promise<readonly string[]> {
  return (await readdir(dir.file('engine', place))).map((name) => name.replace(/\.json$/, '')).toSorted();
}

interface Point {
  readonly identity: string;
  readonly copies: readonly { readonly held: string; readonly repository: string; readonly proof: { state: string } }[];
}

async function points(scene: Scene): Promise<readonly Point[]> {
  return JSON.parse(await scene.ok('snapshots', '--points', '--json')) as readonly Point[];
}

test('a point that a source holds elsewhere is made, copied, listed, verified and counted as any other', async () => {
  await using dir = await tempDir();
  const scene = await engine(dir);
  assert.match(await scene.ok('backup', 'search'), /here: point nightly-\d+ of .* made[^]*there: point .* copied/);
  const [point, ...others] = await points(scene);
  assert.deepEqual(others, []);
  assert.deepEqual(
    point?.copies.map(({ held, repository, proof }) => [held, repository, proof.state]),
    [
      ['external', 'here', 'stored'],
      ['external', 'there', 'stored'],
    ],
  );
  assert.match(await scene.ok('snapshots', '--points'), /nightly-\d+ .*here \(external, stored\)/);
  assert.equal((await scene.verified('search')).code, 0);
  assert.match(await scene.ok('snapshots', '--points'), /here \(external, restored and checked/);
  assert.match(
    await scene.ok('status'),
    /search \(t\): MET[^]*copies +at least 3 +met +3: production, here, there[^]*offsite +at least 2 +met +2: here, there/,
  );
  assert.match(await scene.ok('records', '--kind', 'run'), /search/);
});

test('retention expires by plan alone, each place by its own, and never what another rule or component made', async () => {
  await using dir = await tempDir();
  const scene = await engine(dir);
  for (const text of ['two', 'three', 'four', 'five']) {
    await scene.ok('backup', 'search');
    await appendFile(dir.file('engine/live/index'), text);
  }
  const all = await made(dir, 'here');
  const [oldest = '', ...kept] = all;
  const text = await readFile(placeFile(dir.file('engine'), 'here', oldest), 'utf8');
  const foreign = { 'manual-1': text.replace('nightly', 'manual'), 'other-1': text.replace('search', 'shop') };
  for (const [name, content] of Object.entries(foreign))
    await writeFile(placeFile(dir.file('engine'), 'here', name), content);
  assert.match(await scene.ok('forget', '--all', '--dry-run'), /here: point .* would be removed\n1 point would be/);
  assert.deepEqual(await made(dir, 'here'), ['manual-1', ...all, 'other-1']);
  await scene.ok('forget', '--all');
  assert.deepEqual(await made(dir, 'here'), ['manual-1', ...kept, 'other-1']);
  assert.deepEqual(await made(dir, 'there'), all.slice(-1));
  assert.doesNotMatch((await scene.run('status')).stdout.toString(), /gone/);
  assert.match(await scene.ok('copy', '--all'), /nothing to copy/);
});

test('a point that vanished is told as gone, and never as proven', async () => {
  await using dir = await tempDir();
  const scene = await engine(dir);
  await scene.ok('backup', 'search');
  await scene.ok('verify', 'search');
  const [identity = ''] = await made(dir, 'there');
  await rm(placeFile(dir.file('engine'), 'there', identity));
  const { stderr } = await scene.run('snapshots', '--points');
  assert.match(stderr, new RegExp(`there: the point ${identity} of search.* is GONE: nothing of ours expired it`));
  const [point] = await points(scene);
  assert.deepEqual(
    point?.copies.map(({ repository }) => repository),
    ['here'],
  );
  const { stdout } = await scene.run('status');
  assert.match(stdout.toString(), /search \(t\): BROKEN[^]*is gone/);
  assert.equal((await scene.run('verify', 'search', '--from', 'there')).code, 5);
  await scene.ok('copy', '--all');
  assert.equal((await scene.run('snapshots', '--points')).stderr, '');
  const [again] = await points(scene);
  assert.deepEqual(
    again?.copies.map(({ proof }) => proof.state),
    ['verified', 'stored'],
  );
});

test('a damaged copy failed, one that can’t be asked could not be verified; a check that nobody runs is not passed', async () => {
  await using dir = await tempDir();
  const scene = await engine(dir);
  await scene.ok('backup', 'search');
  const [identity = ''] = await made(dir, 'there');
  const path = placeFile(dir.file('engine'), 'there', identity);
  await writeFile(path, (await readFile(path, 'utf8')).replace(/"data":"./, '"data":"/'));
  await setMood(dir.file('engine'), 'here', 'fails');
  const { code, all } = await scene.verified('search');
  assert.equal(code, 4);
  assert.deepEqual(
    all.map(({ state }) => state),
    ['failed', 'could not verify'],
  );
  assert.match((await scene.run('status')).stdout.toString(), /search \(t\): (?:BROKEN|UNKNOWN)/);
  await setMood(dir.file('engine'), 'here', undefined);
  const policy = await readFile(dir.file('holdfast.yaml'), 'utf8');
  const checks = 'from: here, checks: [{ name: many, count: files }]';
  await writeFile(dir.file('holdfast.yaml'), policy.replace('from: each', checks));
  assert.equal((await scene.verified('search')).code, 5);
  assert.equal((await scene.verified('search', '--do', 'sample')).code, 5);
});

test('what a source says it did is believed only once the place lists it', async () => {
  await using dir = await tempDir();
  const scene = await engine(dir);
  await setMood(dir.file('engine'), 'here', 'lies');
  const { code, stderr } = await scene.run('backup', 'search');
  assert.equal(code, 1);
  assert.match(stderr, /search, rule nightly, here: here does not list nightly-\d+, which was just made there/);
  await setMood(dir.file('engine'), 'here', undefined);
  await setMood(dir.file('engine'), 'there', 'lies');
  assert.equal((await scene.run('backup', 'search')).code, 3);
  await setMood(dir.file('engine'), 'there', undefined);
  for (let count = 0; count < 3; count += 1) await scene.ok('backup', 'search');
  await setMood(dir.file('engine'), 'here', 'lies');
  const forgotten = await scene.run('forget', '--all');
  assert.equal(forgotten.code, 3);
  assert.match(forgotten.stderr, /search: here lists it still/);
});

test('what could not be had in whole is done in part; nothing at all is a failure, told with component and place', async () => {
  await using dir = await tempDir();
  const scene = await engine(dir);
  await mkdir(dir.file('engine/live/more'));
  const partly = await scene.run('backup', 'search');
  assert.equal(partly.code, 3);
  assert.match(await scene.ok('records', '--kind', 'run'), /done in part/);
  await rm(dir.file('engine/live/more'), { recursive: true });
  await rm(dir.file('engine/live/index'));
  const { code, stderr } = await scene.run('backup', 'search');
  assert.equal(code, 1);
  assert.match(stderr, /search, rule nightly, here: here: there is nothing to hold/);
});

test('what is held elsewhere alone is restored by nobody, and said so', async () => {
  await using dir = await tempDir();
  const scene = await engine(dir);
  await scene.ok('backup', 'search');
  const { code, stderr } = await scene.run('restore', 'search', '--target', 'out');
  assert.equal(code, 2);
  assert.match(stderr, /is held in here, there alone/);
});

test('a rule names repositories or places of the component’s own, each by its name', async () => {
  await using dir = await tempDir();
  const scene = await engine(dir);
  const policy = await readFile(dir.file('holdfast.yaml'), 'utf8');
  const refused = async (from: string, to: string): Promise<string> => {
    await writeFile(dir.file('holdfast.yaml'), policy.replace(from, to));
    const { code, stdout } = await scene.run('config', 'check');
    assert.equal(code, 2);
    return stdout.toString();
  };
  assert.match(await refused('there: { keep', 'near: { keep'), /names repositories and places of the component’s own/);
  assert.match(await refused('there: { keep', 'ther: { keep'), /there is no such repository[^]*there/);
  assert.match(await refused('[here, there]', '[here, there, near]'), /near is a repository, and a place of its own/);
  assert.match(await refused('copies: 3', 'copies: 4'), /no rule reaches more than 3/);
});
