import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { silent } from '../src/events/events.ts';
import { createRepository } from '../src/repository/create.ts';
import { openRepository } from '../src/repository/open.ts';
import { openLocal } from '../src/storage/local.ts';
import { resticOk, runRestic, withoutRestic, type ResticVersion } from './servers/restic.ts';
import { tempDir } from './support/temp-dir.ts';

const password = 'correct horse';
const clock = systemClock;
const cheap = { N: 1024, r: 8, p: 1 };
const owner = { hostname: 'host', username: 'ann' };
const versions: readonly ResticVersion[] = ['0.14', '0.19.1'];
const formats = [1, 2] as const;

for (const restic of versions) {
  for (const version of formats) {
    test(`restic ${restic} reads a new repository of format ${version}`, { skip: withoutRestic(restic) }, async () => {
      await using dir = await tempDir();
      const storage = await openLocal(dir.file('repo'), { create: true });
      await using repository = await createRepository({
        storage,
        clock,
        version,
        key: { ...owner, password, kdf: cheap },
      });
      const at = { repository: dir.file('repo'), password };
      const config: unknown = JSON.parse(await resticOk(restic, at, ['cat', 'config']));
      assert.deepEqual(config, repository.config.raw);
      assert.match(await resticOk(restic, at, ['key', 'list']), /ann\s+host/);
      await resticOk(restic, at, ['backup', import.meta.dirname]);
      await resticOk(restic, at, ['check', '--read-data']);
      const wrong = await runRestic(restic, { ...at, password: 'wrong' }, ['cat', 'config']);
      assert.equal(wrong.code === 0, false);
    });

    test(
      `a repository that restic ${restic} made in format ${version} is read`,
      { skip: withoutRestic(restic) },
      async () => {
        await using dir = await tempDir();
        const at = { repository: dir.file('repo'), password };
        await resticOk(restic, at, ['init', '--repository-version', `${version}`]);
        await resticOk(restic, at, ['backup', import.meta.dirname]);
        await using repository = await openRepository({ storage: await openLocal(at.repository), clock, password });
        assert.equal(repository.config.version, version);
        const [snapshot, ...others] = await Array.fromAsync(repository.list('snapshots'), ({ id }) => id);
        assert.ok(snapshot !== undefined && others.length === 0);
        const json: unknown = JSON.parse(Buffer.from(await repository.readFile('snapshots', snapshot)).toString());
        assert.deepEqual(json, JSON.parse(await resticOk(restic, at, ['cat', 'snapshot', snapshot])));
        await repository.loadIndex(silent);
        assert.ok(repository.index.size > 0);
        for (const { type, id } of repository.index.all()) await repository.readBlob(type, id);
      },
    );
  }
}

test('keys that either side adds open the repository for both', { skip: withoutRestic('0.19.1') }, async () => {
  await using dir = await tempDir();
  const storage = await openLocal(dir.file('repo'), { create: true });
  await using repository = await createRepository({
    storage,
    clock,
    version: 2,
    key: { ...owner, password, kdf: cheap },
  });
  const at = { repository: dir.file('repo'), password };
  const added = await repository.keys.add({ ...owner, password: 'ours', kdf: cheap });
  assert.match(
    await resticOk('0.19.1', { ...at, password: 'ours' }, ['key', 'list']),
    new RegExp(`\\*${added.slice(0, 8)}`),
  );
  await writeFile(dir.file('theirs'), 'theirs');
  await resticOk('0.19.1', at, ['key', 'add', '--new-password-file', dir.file('theirs')]);
  await openRepository({ storage, clock, password: 'theirs' });
  assert.equal((await repository.keys.list((_id, error) => assert.fail(error))).length, 3);
});
