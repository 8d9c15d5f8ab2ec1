import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { tempDir } from '../../test/support/temp-dir.ts';

const unit = fileURLToPath(new URL('inherited.ts', import.meta.url));
/** Linux: a descriptor that stands for the name alone; not among Node's constants. */
const O_PATH = 0o10000000;

test('no program is started with what this one was, be it a folder that was opened by its name alone', async () => {
  await using dir = await tempDir();
  const own = openSync(dir.path, O_PATH);
  try {
    const starting = (before: string): string => {
      const text = `${before}
          const { spawnSync } = await import('node:child_process');
          process.stdout.write(spawnSync('ls', ['-l', '/proc/self/fd'], { stdio: ['ignore', 'pipe', 'inherit'] }).stdout);`;
      // Node keeps those to itself that come with the first numbers.
      const words = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', text];
      const args = ['-c', 'exec 200<&3 3<&-; exec "$@"', 'bash', ...words];
      const { stdout, status } = spawnSync('bash', args, { stdio: ['ignore', 'pipe', 'inherit', own] });
      assert.equal(status, 0);
      return stdout.toString();
    };
    assert.ok(starting('').includes(dir.path), 'without it the folder is handed on');
    const kept = starting(`const { keepInherited } = await import(${JSON.stringify(unit)}); keepInherited();`);
    assert.ok(!kept.includes(dir.path), kept);
  } finally {
    closeSync(own);
  }
});
