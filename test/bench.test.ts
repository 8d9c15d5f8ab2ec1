import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { phasesOf } from '../bench/phases.ts';
import { requestReader } from '../bench/requests.ts';
import { median, pairedRatio } from '../bench/results.ts';
import { withoutRestic } from './servers/restic.ts';
import { runOk } from './support/run-program.ts';
import { tempDir } from './support/temp-dir.ts';

const skip = withoutRestic('0.19.1');

test('the bench runs each phase of each tool, compares what was restored, and prints ratios', { skip }, async () => {
  await using dir = await tempDir();
  const script = join(import.meta.dirname, '../bench/bench.ts');
  const what = ['--sets', 'pages', '--scale', '0.01', '--rounds', '1', '--peers', 'restic', '--work', dir.file('work')];
  const options = { timeoutMs: 120_000 };
  const printed = await runOk(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...what], options);
  const rows = printed.toString().trim().split('\n');
  for (const phase of ['open', 'first', 'unchanged', '2 % rewritten', 'restore']) {
    const [ours, theirs] = rows.filter((row) => row.startsWith(`| pages ${phase} |`)).toSorted();
    assert.match(ours ?? '', /\| holdfast \| [\d.]+ \/ [\d.]+ \/ \d+ \|/);
    assert.match(theirs ?? '', /\| restic \| .* \| [\d.]+ \| [\d.]+ \| [\d.]+ \|$/);
  }
  assert.match(rows.at(-1) ?? '', /\| pages \| repository, MiB \| /);
});

test(
  'on S3 the bench counts requests behind a link that delays answers, and finds no more than restic’s',
  { skip },
  async () => {
    await using dir = await tempDir();
    const script = join(import.meta.dirname, '../bench/bench.ts');
    const what = ['--storage', 's3', '--delays', '5', '--scale', '0.01', '--rounds', '1', '--work', dir.file('work')];
    const printed = await runOk(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...what], {
      timeoutMs: 240_000,
    });
    const rows = printed.toString().trim().split('\n');
    for (const phase of ['open', 'first', 'unchanged', 'restore', 'copy', 'copy from a folder']) {
      const [ours = '', theirs = '', ratios = ''] = rows.filter((row) => row.startsWith(`| mixed S3 +5 ms ${phase} |`));
      for (const row of [ours, theirs]) assert.match(row, /· GET \d+ ·.* LIST \d+ · PUT \d+/);
      assert.match(ratios, phase === 'open' ? /\| 0\.\d\d \|$/ : /\| (?:0\.\d\d|1\.00) \(≤ 1\) \|$/);
    }
  },
);

test('requests are counted by what is paid for, however they are cut into pieces', () => {
  const sent = Buffer.from(
    [
      'PUT /bucket/data/1 HTTP/1.1\r\nContent-Length: 30\r\n\r\nGET /no HTTP/1.1\r\n\r\n..........',
      'GET /bucket/?list-type=2&prefix=x HTTP/1.1\r\nhost: a\r\n\r\n',
      'GET /bucket/?location HTTP/1.1\r\n\r\n',
      'DELETE /bucket/locks/1 HTTP/1.1\r\ncontent-length:0\r\n\r\n',
    ].join(''),
  );
  for (let pieceBytes = 1; pieceBytes <= sent.length; pieceBytes++) {
    const kinds: string[] = [];
    const read = requestReader((kind) => kinds.push(kind));
    for (let at = 0; at < sent.length; at += pieceBytes) read(sent.subarray(at, at + pieceBytes));
    assert.deepEqual(kinds, ['PUT', 'LIST', 'GET', 'DELETE'], `in pieces of ${pieceBytes} bytes`);
  }
});

test('ratios are medians of pairs, so that a slow minute hits both', () => {
  const runs = (...walls: readonly number[]) => walls.map((wallMs) => ({ status: 0, wallMs, cpuMs: 1, peakMiB: 1 }));
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(pairedRatio(runs(1, 10, 3), runs(2, 20, 4), 'wall'), 0.5);
});

test('the profile tells the phases of a first backup and a restore apart, beside the machine’s limits', async () => {
  await using dir = await tempDir();
  const script = join(import.meta.dirname, '../bench/profile.ts');
  const what = ['--sets', 'mixed', '--scale', '0.02', '--work', dir.file('work')];
  const options = { timeoutMs: 120_000 };
  const printed = await runOk(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...what], options);
  const rows = new Map(
    printed
      .toString()
      .split('\n')
      .map((row) => row.split('|').map((cell) => cell.trim()))
      .map(([, phase = '', main = '', workers = '', limit = '']) => [phase, { main, workers, limit }]),
  );
  const inWorkers = {
    'mixed first': ['reading', 'chunking', 'hashing', 'compressing', 'sealing', 'verifying'],
    'mixed restore': ['opening seals', 'decompressing', 'hashing', 'writing', 'making files'],
  };
  for (const [name, phases] of Object.entries(inWorkers)) {
    for (const phase of phases)
      assert.match(rows.get(`${name}: ${phase}`)?.workers ?? '', /^\d+\.\d\d$/, `${name}: ${phase}`);
  }
  assert.match(rows.get('mixed first: writing')?.main ?? '', /^\d+\.\d\d$/);
  for (const phase of ['chunking', 'hashing', 'compressing', 'sealing']) {
    assert.match(rows.get(`mixed first: ${phase}`)?.limit ?? '', /^\d+\.\d\d$/, phase);
  }
});

test('a sample belongs to the innermost phase around it, to verifying whatever is verified, and to none when idle', () => {
  const frame = (functionName: string, url = '') => ({ functionName, url });
  const nodes = [
    { id: 1, callFrame: frame('(root)'), children: [2, 6, 7] },
    { id: 2, callFrame: frame('add', 'file:///src/repository/pipeline/sealer.ts'), children: [3, 4] },
    { id: 3, callFrame: frame('update') },
    { id: 4, callFrame: frame('verifyBlob', 'file:///src/repository/blob.ts'), children: [5] },
    { id: 5, callFrame: frame('decompress', 'file:///src/compression/decompressor.ts') },
    { id: 6, callFrame: frame('(idle)') },
    { id: 7, callFrame: frame('(garbage collector)') },
  ];
  const samples = [3, 5, 6, 7, 1];
  const timeDeltas = samples.map((_, i) => 1e6 * 2 ** i);
  assert.deepEqual(
    phasesOf({ nodes, samples, timeDeltas }),
    new Map([
      ['hashing', 1],
      ['verifying', 2],
      ['collecting garbage', 8],
      ['other', 16],
    ]),
  );
});
