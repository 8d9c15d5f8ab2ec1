import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from '../support/temp-dir.ts';
import { resticOk, runRestic, withoutRestic, type ResticVersion } from './restic.ts';

const versions: readonly ResticVersion[] = ['0.14', '0.19.1'];

for (const version of versions) {
  test(`restic ${version} makes a repository and backs a file up`, { skip: withoutRestic(version) }, async () => {
    await using dir = await tempDir();
    const at = { repository: dir.file('repository'), password: 'secret' };
    await writeFile(dir.file('hello'), 'hello');
    await resticOk(version, at, ['init']);
    await resticOk(version, at, ['backup', dir.file('hello')]);
    assert.match(await resticOk(version, at, ['check', '--read-data']), /no errors were found/);
    assert.notEqual((await runRestic(version, { ...at, password: 'other' }, ['snapshots'])).code, 0);
  });
}
