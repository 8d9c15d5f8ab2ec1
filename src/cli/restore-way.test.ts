import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restoreOptions } from './commands/restore.ts';
import { flagName, valuesOf } from './option.ts';
import { restoreWay } from './restore-way.ts';

/** By flags as they stand on a command line; one without a value stands alone. */
function wayOf(line: string): ReturnType<typeof restoreWay> {
  const words = line.split(' ').map((word) => word.split('='));
  const keyOf = (flag = ''): string =>
    Object.keys(restoreOptions).find((key) => flagName(key) === flag) ?? assert.fail(flag);
  const given = words.map(([flag]) => keyOf(flag));
  const textsOf = (key: string): readonly string[] =>
    words.filter(([flag]) => keyOf(flag) === key).map(([, value = 'true']) => value);
  const values = valuesOf(restoreOptions, (key) => {
    const texts = textsOf(key);
    return { texts, label: flagName(key), origin: texts.length > 0 ? 'flag' : 'none' };
  });
  return restoreWay(values, given);
}

for (const [line, way] of [
  ['--target=/r', { kind: 'folder', target: '/r' }],
  ['--target=/r --include=/etc --delete --dry-run', { kind: 'folder', target: '/r' }],
  ['--at=2026-11-20 --exclusive --timeline=2 --target=/r', { kind: 'folder', target: '/r' }],
  ['--latest --tablespace=/a=/b --target=/r', { kind: 'folder', target: '/r' }],
  ['--target=/r --as-standby', { kind: 'standby', target: '/r' }],
  ['--latest --target=/r --as-standby', { kind: 'standby', target: '/r' }],
  ['--at=2026-11-20 --table=t --as=u --into=env:URL', { kind: 'parts', into: 'env:URL' }],
  ['--method=logical --into=env:URL --jobs=2 --switch', { kind: 'database', into: 'env:URL' }],
  ['--in-place', { kind: 'in place' }],
  ['--in-place --timeline=2', { kind: 'in place' }],
  ['--in-place --delta --dry-run', { kind: 'in place' }],
  ['--in-place --delta --without-undo --lsn=0/1', { kind: 'in place' }],
] as const)
  test(`restore ${line} goes its way`, () => assert.deepEqual(wayOf(line), way));

for (const [line, says] of [
  ['--latest', /where to\?/],
  ['--as-standby', /--as-standby goes with --target/],
  ['--as-standby --target=/r --at=today', /a standby follows up to now/],
  ['--as-standby --target=/r --include=a', /--include means nothing with --as-standby/],
  ['--table=t --target=/r', /--table and --schema go into a database, by --into/],
  ['--table=t --into=env:URL --in-place', /--table and --schema go into a database, by --into/],
  ['--table=t --into=env:URL --switch', /--switch means nothing with --table or --schema/],
  ['--table=t --into=env:URL --verify', /--verify means nothing with --table or --schema/],
  ['--into=env:URL --as=t', /--as goes with --table or --schema/],
  ['--into=env:URL --latest', /a moment of the log comes back to a folder/],
  ['--into=env:URL --target=/r', /--into and --target can’t stand together/],
  ['--in-place --target=/r', /--target and --in-place can’t stand together/],
  ['--in-place --into=env:URL', /--into and --in-place can’t stand together/],
  ['--in-place --include=a', /--include means nothing with --in-place/],
  ['--in-place --delta', /--delta keeps nothing/],
  ['--target=/r --delta', /--delta goes with --in-place/],
  ['--in-place --without-undo', /--without-undo goes with --delta/],
  ['--target=/r --latest --exclusive', /--exclusive goes with --at, --lsn or --xid/],
  ['--target=/r --timeline=2', /--timeline goes with a moment/],
  ['--target=/r --latest --method=logical', /--method is for a backup as it was stored/],
  ['--target=/r --at=today --exclusive --method=logical', /--method is for a backup as it was stored/],
  ['--target=/r --tablespace=/a=/b', /--tablespace goes with a moment of a log/],
  ['--target=/r --jobs=2', /--jobs means nothing with --target alone/],
  ['--target=/r --dry-run --verify', /--dry-run and --verify can’t stand together/],
] as const)
  test(`restore ${line} is refused, for its words say two things or nothing`, () =>
    assert.throws(() => wayOf(line), { message: says }));
