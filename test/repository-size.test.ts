import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeData } from '../bench/data.ts';
import { budget } from './budget.ts';
import { withoutRestic } from './servers/restic.ts';
import { tempDir } from './support/temp-dir.ts';
import { both, cheapRepository, copiesOf, expectExit } from './support/two-tools.ts';

/** What all files below a folder hold, in bytes. */
function sizeOf(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

for (const set of ['mixed', 'small', 'pages'] as const) {
  test(
    `a repository of the data set ${set} is at most 1.02 times restic’s`,
    { skip: withoutRestic('0.19.1') },
    async (context) => {
      await using dir = await tempDir();
      const data = makeData(set, dir.file('data'), budget.benchScale);
      const at = await copiesOf(await cheapRepository(dir.file('repository')), dir.file('copy'));
      await both(async (tool) => await expectExit(0, tool, at[tool], ['backup', data]));
      const [ours, theirs] = [sizeOf(at.holdfast.repository), sizeOf(at.restic.repository)];
      context.diagnostic(`${ours} bytes, restic ${theirs}`);
      assert.ok(ours <= theirs * 1.02, `${ours} bytes beside restic’s ${theirs}`);
    },
  );
}
