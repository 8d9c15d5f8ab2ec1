import assert from 'node:assert/strict';
import { test } from 'node:test';
import { historiesIn } from './history.ts';

const second = '1\t0/3000060\tno recovery target specified\n';
const fifth = `${second}\n2\t0/5000000\tbefore 2026-11-21 12:00:00+00\n`;

test('a timeline’s history tells its parent, where it forks, and those of its ancestors, which need not be the numbers before it', () => {
  const told = historiesIn(5, Buffer.from(fifth)).map(({ bytes, ...rest }) => ({
    ...rest,
    text: Buffer.from(bytes).toString(),
  }));
  assert.deepEqual(told, [
    { epoch: 5, parent: 2, forkedAt: 0x5000000n, text: fifth },
    { epoch: 2, parent: 1, forkedAt: 0x3000060n, text: second },
  ]);
});

test('comments are none of it, and a line that is no line of a history is refused', () => {
  assert.equal(historiesIn(2, Buffer.from(`# restored\n${second}`)).length, 1);
  for (const text of ['1 0/0\n7\t0/1\tx\n', 'nonsense\n', '1\tnowhere\tx\n'])
    assert.throws(() => historiesIn(5, Buffer.from(text)), { code: 'source-failed' });
});

test('an ancestor’s history is byte by byte what the file begins with, whatever is in a reason', () => {
  const named = `  # by hand\n1\t0/3000060\tat restore point "v#1"\n`;
  const foreign = Buffer.from('1\t0/3000060\tat restore point "caf\xe9"\n', 'latin1');
  const cut = Buffer.from('1\t0/3000060\tno line feed at its end');
  for (const own of [Buffer.from(named), foreign, cut]) {
    const file = Buffer.concat([own, Buffer.from('\n2\t0/5000000\tno reason\n')]);
    const [fifth, second] = historiesIn(5, file);
    assert.deepEqual([fifth?.bytes, second?.bytes], [file, own]);
    assert.deepEqual([second?.epoch, second?.forkedAt], [2, 0x3000060n]);
  }
});
