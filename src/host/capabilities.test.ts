import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { runOk } from '../../test/support/run-program.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { missingFacilities } from './capabilities.ts';

test('this Node has all that is needed', () => {
  assert.deepEqual(missingFacilities(), []);
});

test('without FFI everything else works, and what is not preserved is named', async () => {
  await using dir = await tempDir();
  writeFileSync(dir.file('file'), '');
  const module = (name: string): string => JSON.stringify(new URL(`${name}.ts`, import.meta.url).href);
  const script = `
    process.getBuiltinModule = () => undefined;
    const { missingFacilities } = await import(${module('capabilities')});
    const { setTimes } = await import(${module('times')});
    const { listXattrs } = await import(${module('xattr')});
    const { userName } = await import(${module('users')});
    const file = ${JSON.stringify(dir.file('file'))};
    setTimes(file, { atimeNs: 0n, mtimeNs: 1_500_000_000_123_456_000n });
    console.log(JSON.stringify([missingFacilities(), listXattrs(file), userName(0)]));`;
  const output = (await runOk(process.execPath, ['--input-type=module', '-e', script])).toString();
  const [missing, xattrs, user] = JSON.parse(output) as [string[], string[], string];
  assert.deepEqual([missing.length, xattrs, user], [4, [], 'root']);
  assert.match(missing.join(), /times.*extended attributes and ACLs.*fifos and device nodes.*holes/);
  const offNs = statSync(dir.file('file'), { bigint: true }).mtimeNs - 1_500_000_000_123_456_000n;
  assert.ok(offNs > -1000n && offNs < 1000n, `${offNs} ns off`);
});
