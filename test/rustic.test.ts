import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { rustic, withoutRustic } from './servers/rustic.ts';
import { holdfastOk, type RepositoryAt } from './support/holdfast.ts';
import { runOk } from './support/run-program.ts';
import { jsonLines, type JsonRecord } from './support/scene.ts';
import { tempDir } from './support/temp-dir.ts';

const skip = withoutRustic();
const kib = 1024;

/** How a repository is to cut files, as rustic's init is told. */
const ways: Readonly<Record<string, readonly string[]>> = {
  'as restic does': [],
  'by content, with sizes of its own': [
    ...['--set-chunk-size', '256KiB', '--set-chunk-min-size', '64KiB', '--set-chunk-max-size', '1MiB'],
  ],
  'at large sizes': ['--set-chunk-size', '4MiB', '--set-chunk-min-size', '1MiB', '--set-chunk-max-size', '16MiB'],
  'at a fixed size': ['--set-chunker', 'fixed_size', '--set-chunk-size', '100KiB'],
};

const sizes = { small: 900, middle: 300 * kib, large: 30_000 * kib, exact: 200 * kib, empty: 0 };

async function rusticOk({ repository, password }: RepositoryAt, args: readonly string[]): Promise<void> {
  const env = { RUSTIC_REPOSITORY: repository, RUSTIC_PASSWORD: password, RUSTIC_NO_CACHE: 'true', HOME: repository };
  await runOk(await rustic(), ['--no-progress', ...args], { env });
}

async function backup(at: RepositoryAt, ...args: readonly string[]): Promise<JsonRecord> {
  const records = jsonLines(await holdfastOk(at, ['--json', 'backup', ...args]));
  return records.findLast((one) => one['message_type'] === 'summary') ?? {};
}

for (const [way, options] of Object.entries(ways)) {
  test(`rustic and Holdfast share a repository whose files are cut ${way}`, { skip, timeout: 300_000 }, async () => {
    await using dir = await tempDir();
    const at = { repository: dir.file('repository'), password: 'secret' };
    const folder = dir.file('files');
    mkdirSync(folder);
    for (const [name, bytes] of Object.entries(sizes)) writeFileSync(join(folder, name), randomBytes(bytes));
    await rusticOk(at, ['init', ...options]);
    await rusticOk(at, ['backup', folder]);
    await holdfastOk(at, ['check', '--read-data']);
    await holdfastOk(at, ['restore', 'latest', '--target', dir.file('ours')]);
    const again = await backup(at, '--force', folder);
    assert.equal(again['data_blobs'], 0, 'what is cut alike is there already');
    const piped = jsonLines(
      await holdfastOk(at, ['--json', 'backup', '--stdin'], { input: readFileSync(join(folder, 'large')) }),
    );
    assert.equal(piped.findLast((one) => one['message_type'] === 'summary')?.['data_blobs'], 0, 'a stream too');
    writeFileSync(join(folder, 'large'), Buffer.concat([randomBytes(999), readFileSync(join(folder, 'large'))]));
    writeFileSync(join(folder, 'new'), randomBytes(3000 * kib));
    const changed = await backup(at, folder);
    assert.ok(Number(changed['data_blobs']) > 0);
    await rusticOk(at, ['check', '--read-data']);
    await rusticOk(at, ['restore', `${String(changed['snapshot_id'])}:${folder}`, dir.file('theirs')]);
    for (const name of [...Object.keys(sizes), 'new']) {
      const bytes = readFileSync(join(folder, name));
      assert.ok(readFileSync(dir.file('theirs', name)).equals(bytes), name);
      const isOld = name !== 'new' && name !== 'large';
      if (isOld) assert.ok(readFileSync(join(dir.file('ours'), folder, name)).equals(bytes), name);
    }
  });
}
