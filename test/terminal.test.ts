import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { absent } from './absences.ts';
import { holdfastOk, holdfastProgram } from './support/holdfast.ts';
import { tempDir } from './support/temp-dir.ts';
import { cheapRepository } from './support/two-tools.ts';

const skip = process.platform === 'linux' ? false : absent('script');

/** What a terminal of 100 columns shows of a command. `answers` are typed when their prompt shows. */
async function onTerminal(
  command: string,
  env: Readonly<Record<string, string>>,
  answers: readonly (readonly [prompt: string, answer: string])[] = [],
): Promise<string> {
  const sized = `stty cols 100 rows 30; ${command}`;
  const child = spawn('script', ['-qec', sized, '/dev/null'], { env: { ...process.env, ...env } });
  const waiting = [...answers];
  let shown = '';
  child.stdout.on('data', (bytes: Buffer) => {
    shown += bytes.toString();
    const [next] = waiting;
    if (next === undefined || !shown.includes(next[0])) return;
    waiting.shift();
    child.stdin.write(`${next[1]}\n`);
  });
  await once(child, 'close', { signal: AbortSignal.timeout(300_000) });
  return stripVTControlCharacters(shown).replaceAll('\r', '\n');
}

test('a terminal shows bar, ETA and rate; elsewhere there are plain lines', { skip, timeout: 300_000 }, async () => {
  await using dir = await tempDir();
  const at = await cheapRepository(dir.file('repository'));
  mkdirSync(dir.file('data'));
  for (let i = 0; i < 3000; i++) writeFileSync(dir.file(`data/${i}`), `content of ${i} `.repeat(200));
  const env = { RESTIC_REPOSITORY: at.repository, RESTIC_PASSWORD: at.password, RESTIC_PROGRESS_FPS: '60' };
  const seen = await onTerminal(`${holdfastProgram} --no-cache backup ${dir.file('data')}`, env);
  assert.match(seen, /\[\d:\d\d\] backing up {2}█*░* +\d+\.\d % {2}ETA \d:\d\d {2}[\d.]+ [KM]?i?B\/s/);
  assert.match(seen, /snapshot [0-9a-f]{8} saved/);
  const plain = await holdfastOk(at, ['backup', '--force', dir.file('data')]);
  assert.doesNotMatch(plain, /█|ETA|\r/);
});

test('a password is asked for twice for a new repository, and never shown', { skip, timeout: 300_000 }, async () => {
  await using dir = await tempDir();
  const init = `env -u RESTIC_PASSWORD ${holdfastProgram} -r ${dir.file('repository')} init`;
  const answers = [
    ['enter the new password: ', 'correct horse'],
    ['enter it again: ', 'correct horse'],
  ] as const;
  const seen = await onTerminal(init, {}, answers);
  assert.match(seen, /created repository/);
  assert.match(seen, /new password.*again/s);
  assert.doesNotMatch(seen, /correct horse/);
  await holdfastOk({ repository: dir.file('repository'), password: 'correct horse' }, ['snapshots']);
});
