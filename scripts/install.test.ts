import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runOk } from '../test/support/run-program.ts';
import { tempDir } from '../test/support/temp-dir.ts';
import { filesMatching, root } from './tree.ts';

test('no dependency runs a script when it is installed, and nothing of ours is a native add-on', async () => {
  const lock = await readFile(join(root, 'package-lock.json'), 'utf8');
  assert.ok(lock.includes('"integrity"'));
  assert.ok(!lock.includes('"hasInstallScript"'));
  assert.deepEqual(filesMatching('{src,wasm}/**/*.{c,cc,cpp,node}', 'binding.gyp'), []);
});

test('the program runs with the Node that it brought, whatever node comes first in the PATH', async () => {
  await using dir = await tempDir();
  await writeFile(dir.file('node'), '#!/bin/sh\nexit 99\n');
  await chmod(dir.file('node'), 0o755);
  const env = { PATH: `${dir.path}:${process.env['PATH'] ?? ''}` };
  const output = await runOk(join(root, 'bin/holdfast'), ['version'], { env, cwd: dir.path });
  assert.match(output.toString(), /Node v26\./);
});
