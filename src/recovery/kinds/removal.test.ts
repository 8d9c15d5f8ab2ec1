import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { mounted, withoutMounts } from '../../../test/support/mounting.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { assertNothingMounted, removeOwn } from './removal.ts';

test(
  'what was mounted below since the plan was made is neither moved along nor removed',
  { skip: withoutMounts() },
  async () => {
    await using dir = await tempDir();
    const [own, inner] = [dir.file('own'), dir.file('own/kept/inner')];
    mkdirSync(inner, { recursive: true });
    {
      await using _mount = await mounted(inner);
      writeFileSync(`${inner}/precious`, 'kept');
      assert.throws(() => assertNothingMounted(own), { code: 'refused', message: /own\/kept\/inner/ });
      await assert.rejects(removeOwn(own), { code: 'refused' });
      assert.equal(readFileSync(`${inner}/precious`, 'utf8'), 'kept');
    }
    await removeOwn(own);
    assert.ok(!existsSync(own));
  },
);
