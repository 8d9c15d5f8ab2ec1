import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resticOk, withoutRestic } from '../../test/servers/restic.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { cheapRepository } from '../../test/support/two-tools.ts';
import { rawPathOf } from '../bytes/ids.ts';
import { systemClock } from '../clock/clock.ts';
import { silent, type Event, type Listener } from '../events/events.ts';
import type { Entry } from '../snapshot/entry.ts';
import { decodeTree } from '../snapshot/tree.ts';
import type { Source } from './source.ts';
import { commandSource, inputSource } from './stream.ts';

const timeNs = 1_700_000_000_000_000_000n;

function shell(script: string, path = 'dump.sql'): Source {
  return commandSource({ program: 'sh', args: ['-c', script], path: rawPathOf(path), timeNs, clock: systemClock });
}

async function entriesOf(source: Source, listener: Listener = silent): Promise<readonly Entry[]> {
  return await Array.fromAsync(source.entries({ listener, signal: new AbortController().signal }));
}

async function bytesOf([first]: readonly Entry[]): Promise<string> {
  assert.ok(first?.content.kind === 'stream');
  return Buffer.concat(await Array.fromAsync(first.content.stream)).toString();
}

test("a command's output is one file, and what it says meanwhile is told", async () => {
  const told: Event[] = [];
  const entries = await entriesOf(shell('echo data; echo working >&2'), (event) => told.push(event));
  assert.deepEqual(
    entries.map(({ path }) => path),
    ['dump.sql'],
  );
  assert.equal(await bytesOf(entries), 'data\n');
  assert.deepEqual(told, [{ kind: 'note', name: 'command-said', data: { program: 'sh', line: 'working' } }]);
});

test('a command that fails after its output fails the source, with its last words and without its arguments', async () => {
  for (const [script, words] of [
    ['echo data; echo broken >&2; exit 7; # hunter2', /^sh failed: exit code 7\n {2}broken$/],
    ['echo data; kill -TERM $$; # hunter2', /^sh failed: killed by SIGTERM$/],
    ['exit 0; # hunter2', /^sh gave no data$/],
  ] as const) {
    await assert.rejects(entriesOf(shell(script)).then(bytesOf), { code: 'source-failed', message: words });
  }
  const path = rawPathOf('x');
  const missing = commandSource({ program: '/nonexistent', args: ['hunter2'], path, timeNs, clock: systemClock });
  const message = "/nonexistent can't be started: no such file or directory";
  await assert.rejects(entriesOf(missing).then(bytesOf), { code: 'source-failed', message });
});

test('a stream that is given up kills its command', async () => {
  const [entry] = await entriesOf(shell('echo $$; exec sleep 1000'));
  assert.ok(entry?.content.kind === 'stream');
  let pid = 0;
  for await (const chunk of entry.content.stream) {
    pid = Number(Buffer.from(chunk).toString());
    break;
  }
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

test('an aborted backup ends with the reason that it was aborted for', async () => {
  const abort = new AbortController();
  const options = { listener: (): void => undefined, signal: abort.signal };
  const [entry] = await Array.fromAsync(shell('echo data; exec sleep 1000').entries(options));
  const reading = async (): Promise<void> => {
    assert.ok(entry?.content.kind === 'stream');
    for await (const _chunk of entry.content.stream) abort.abort(new Error('enough'));
  };
  await assert.rejects(reading(), /enough/);
});

test('an input without data fails the source, and so does a name that is none', async () => {
  const place = { path: rawPathOf('stdin'), timeNs };
  await assert.rejects(entriesOf(inputSource(place, emptyInput())).then(bytesOf), { code: 'source-failed' });
  await assert.rejects(entriesOf(shell('echo', '/')), { code: 'usage' });
});

async function* emptyInput(): AsyncGenerator<Uint8Array> {
  // Ends at once.
}

test('a stream is recorded as restic records it, folders included', { skip: withoutRestic('0.19.1') }, async () => {
  await using dir = await tempDir();
  const at = { repository: dir.file('repository'), password: 'secret' };
  await cheapRepository(at.repository);
  const flags = ['--quiet', '--stdin', '--stdin-filename=/sub/../dumps/a.sql', '--time=2023-11-14 22:13:20'];
  await resticOk('0.19.1', at, ['backup', ...flags], { input: 'data', env: { TZ: 'UTC' } });
  const snapshot = (await resticOk('0.19.1', at, ['list', 'snapshots', '--quiet'])).trim();
  const ours = await entriesOf(shell('printf data', '/sub/../dumps/a.sql'));
  for (const [i, folder] of ['/dumps', '/'].entries()) {
    const json = await resticOk('0.19.1', at, ['cat', 'tree', `${snapshot}:${folder}`]);
    for (const { name: _name, content: _content, subtree: _subtree, ...theirs } of decodeTree(Buffer.from(json))) {
      assert.deepEqual(ours[i]?.metadata, { ...theirs, sizeBytes: 0 });
    }
  }
  assert.deepEqual(
    ours.map(({ path }) => path),
    ['dumps/a.sql', 'dumps'],
  );
});
