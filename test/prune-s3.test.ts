import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { openStorage } from '../src/storage/open.ts';
import { withoutGo } from './servers/go-program.ts';
import { resticOk } from './servers/restic.ts';
import { s3Servers } from './servers/s3-servers.ts';
import { servedOk } from './support/holdfast.ts';
import { journalsOf, keysOf } from './support/leaving.ts';
import { tempDir } from './support/temp-dir.ts';
import { cheapRepositoryAt } from './support/two-tools.ts';

for (const { name, start } of s3Servers) {
  test(`on ${name} prune is deferred unless asked otherwise`, { skip: withoutGo() }, async () => {
    await using server = await start();
    await using dir = await tempDir();
    const options = { env: server.owner, cwd: dir.path };
    const at = await cheapRepositoryAt(`s3:${server.endpoint}/bucket/shop`, { environment: server.owner });
    for (const content of ['one', 'two']) {
      await writeFile(dir.file('file'), content.repeat(10_000));
      await servedOk(at, ['backup', 'file'], options);
    }
    await servedOk(at, ['forget', '--keep-last', '1'], options);
    await using storage = await openStorage(at.repository, { environment: server.owner });
    const before = await keysOf(storage, 'data/');
    assert.match(await servedOk(at, ['prune'], options), /not needed any more: a prune after .* deletes them/);
    const after = await keysOf(storage, 'data/');
    assert.ok(before.every((key) => after.includes(key)));
    assert.equal((await journalsOf(storage)).length, 1);
    assert.match(await resticOk('0.19.1', at, ['check', '--read-data'], options), /no errors were found/);
    assert.match(await servedOk(at, ['prune', '--dry-run'], options), /not a day ago: left for now/);
    await servedOk(at, ['prune', '--discard-journals'], options);
    assert.match(await resticOk('0.19.1', at, ['check', '--read-data'], options), /no errors were found/);
  });
}
