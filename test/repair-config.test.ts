import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { startRestServer, withoutRestServer } from './servers/rest-server.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { holdfastOk, type RepositoryAt } from './support/holdfast.ts';
import { scene, type JsonRecord, type Scene } from './support/scene.ts';
import { tempDir } from './support/temp-dir.ts';
import { cheapRepository, expectExit } from './support/two-tools.ts';

const options = { skip: withoutRestic('0.19.1'), timeout: 300_000 };

async function configOf(on: Scene): Promise<JsonRecord> {
  const value: unknown = JSON.parse(await on.ok('cat', 'config'));
  assert.ok(typeof value === 'object' && value !== null);
  return { ...value };
}

/** Reads everything, by both programs. */
async function isWhole(on: Scene): Promise<void> {
  await on.ok('check', '--read-data');
  assert.match(await resticOk('0.19.1', on.at, ['check', '--read-data']), /no errors were found/);
  assert.equal((await on.records('snapshots')).length, 1);
}

test(
  'a lost config comes back from a clone as it was, from a copy with its cut, and else with what can be known',
  options,
  async () => {
    await using on = await scene();
    await on.backup(on.source);
    const before = await configOf(on);
    const clone: RepositoryAt = { ...on.at, repository: on.dir.file('clone') };
    cpSync(on.at.repository, clone.repository, { recursive: true });
    const other = await cheapRepository(on.dir.file('other'));
    const config = `${on.at.repository}/config`;
    const from = (at: RepositoryAt): Record<string, string> => ({
      RESTIC_FROM_REPOSITORY: at.repository,
      RESTIC_FROM_PASSWORD: at.password,
    });

    rmSync(config);
    await expectExit(10, 'holdfast', on.at, ['snapshots']);
    await expectExit(0, 'holdfast', on.at, ['repair', 'config', '--dry-run']);
    await expectExit(10, 'holdfast', on.at, ['snapshots']);
    await expectExit(0, 'holdfast', on.at, ['repair', 'config'], { env: from(clone) });
    assert.deepEqual(await configOf(on), before);
    await isWhole(on);

    const bytes = readFileSync(config);
    writeFileSync(config, bytes.subarray(0, -1));
    await expectExit(0, 'holdfast', on.at, ['repair', 'config'], { env: from(other) });
    const copied = await configOf(on);
    assert.equal(copied['version'], 2);
    assert.notEqual(copied['id'], before['id']);
    const polynomial = /"chunker_polynomial": "(\w+)"/.exec(
      (await expectExit(0, 'holdfast', other, ['cat', 'config'])).stdout.toString(),
    )?.[1];
    assert.equal(copied['chunker_polynomial'], polynomial);
    await isWhole(on);

    rmSync(config);
    await expectExit(0, 'holdfast', on.at, ['repair', 'config']);
    assert.equal((await configOf(on))['version'], 2);
    await isWhole(on);
  },
);

test('repair config leaves a config alone that is intact, and needs the password', options, async () => {
  await using on = await scene();
  const before = readFileSync(`${on.at.repository}/config`);
  const { code, stderr } = await on.run(['repair', 'config']);
  assert.ok(code !== 0 && /is intact/.test(stderr), stderr);
  assert.deepEqual(readFileSync(`${on.at.repository}/config`), before);
  rmSync(`${on.at.repository}/config`);
  await expectExit(12, 'holdfast', { ...on.at, password: 'wrong' }, ['repair', 'config']);
});

test(
  'a config that a client left torn behind rest-server is replaced',
  { skip: withoutRestServer(), timeout: 120_000 },
  async () => {
    await using dir = await tempDir();
    await using server = await startRestServer();
    const at = { repository: `rest:http://127.0.0.1:${server.port}/`, password: 'secret' };
    await holdfastOk(at, ['init']);
    writeFileSync(dir.file('file'), 'content');
    await holdfastOk(at, ['backup', 'file'], { cwd: dir.path });
    writeFileSync(server.dir.file('data/config'), '');
    await expectExit(1, 'holdfast', at, ['snapshots']);
    await holdfastOk(at, ['repair', 'config']);
    await holdfastOk(at, ['check', '--read-data']);
    assert.match(await resticOk('0.19.1', at, ['check', '--read-data']), /no errors were found/);
  },
);

test('a repository of format 1 stays one', options, async () => {
  await using on = await scene();
  const at = await cheapRepository(on.dir.file('one'), 1);
  await expectExit(0, 'restic', at, ['backup', '-q', on.source]);
  rmSync(`${at.repository}/config`);
  await expectExit(0, 'holdfast', at, ['repair', 'config']);
  assert.match((await expectExit(0, 'holdfast', at, ['cat', 'config'])).stdout.toString(), /"version": 1/);
  await expectExit(0, 'restic', at, ['check', '--read-data']);
});
