import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../../src/clock/clock.ts';
import { openRepository } from '../../../src/repository/open.ts';
import { writeOwnObject } from '../../../src/repository/own-object.ts';
import { openLocal } from '../../../src/storage/local.ts';
import { budget } from '../../budget.ts';
import { tempDir } from '../temp-dir.ts';
import { cheapRepository } from '../two-tools.ts';
import { canaryOf, Search } from './canaries.ts';
import { plaintextsBelow, storedBelow } from './places.ts';
import { treeBelow } from './processes.ts';

const [one, other] = [canaryOf('one'), canaryOf('other', 'header')];
const search = new Search([one, other]);

const encodings: Readonly<Record<string, (text: string) => string>> = {
  'as it is': (text) => text,
  'percent-encoded': encodeURIComponent,
  'every byte percent-encoded': (text) => Buffer.from(text).toString('hex').replaceAll(/../g, '%$&'),
  'JSON': JSON.stringify,
  'JSON in JSON': (text) => JSON.stringify(JSON.stringify(text)),
  'JSON by code units': (text) => text.replaceAll(/[^]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
  'base64': (text) => Buffer.from(text).toString('base64'),
  'base64 for URLs': (text) => Buffer.from(text).toString('base64url'),
  'a login in base64': (text) => Buffer.from(`user:${text}`).toString('base64'),
  'hex': (text) => Buffer.from(text).toString('hex'),
  'hex in capitals': (text) => Buffer.from(text).toString('hex').toUpperCase(),
  'hex by bytes': (text) => Buffer.from(text).toString('hex').replaceAll(/../g, '$& '),
  'in capitals': (text) => text.toUpperCase(),
  'UTF-16': (text) => Buffer.from(text, 'utf16le').toString('latin1'),
};

for (const [name, encode] of Object.entries(encodings)) {
  test(`a canary is found ${name}, whatever stands around it`, () => {
    const around = fc.string({ unit: 'grapheme-ascii' });
    fc.assert(
      fc.property(around, around, fc.constantFrom(one, other), (before, after, canary) => {
        // What stands before changes how base64 spells it.
        const text = name.includes('base64')
          ? encode(before + canary.value + after)
          : before + encode(canary.value) + after;
        return search.in('a text', Buffer.from(text, 'latin1')).some((found) => found.startsWith(canary.name));
      }),
      { numRuns: Math.min(budget.propertyRuns, 500) },
    );
  });
}

test('nothing is found where no canary is', () => {
  const text = fc.string({ unit: 'binary', maxLength: 200 });
  fc.assert(
    fc.property(text, (words) => search.in('a text', words).length === 0),
    { numRuns: budget.propertyRuns },
  );
});

test('a canary is found in files, in their names, and sealed in a repository, but not where it is meant to be', async () => {
  await using dir = await tempDir();
  await mkdir(dir.file('meant'));
  await writeFile(dir.file('meant/secret'), one.value);
  assert.deepEqual(await storedBelow(dir.path, [dir.file('meant')], search), []);
  await writeFile(dir.file('state'), `{"password":${JSON.stringify(one.value)}}`);
  await writeFile(dir.file(`of-${other.core}`), '');
  const found = await storedBelow(dir.path, [dir.file('meant')], search);
  assert.deepEqual(new Set(found.map((line) => line.split(' ')[0])), new Set(['one', 'other']));
  const { repository, password } = await cheapRepository(dir.file('repository'));
  assert.deepEqual(await plaintextsBelow(repository, password, search), []);
  await seal(repository, password, JSON.stringify({ reason: `the server says ${other.value}` }));
  assert.deepEqual(await storedBelow(repository, [], search), []);
  assert.equal((await plaintextsBelow(repository, password, search)).length, 1);
});

async function seal(path: string, password: string, text: string): Promise<void> {
  const storage = await openLocal(path);
  await using repository = await openRepository({ storage, clock: systemClock, password });
  await writeOwnObject(repository, 'holdfast/records/a/b/0000000001', Buffer.from(text));
}

test('a canary is found in the arguments and in the environment of a program below another', async () => {
  const child = spawn('sh', ['-c', 'sleep 1000 & echo; wait', one.value], {
    env: { PATH: process.env['PATH'], A: other.value },
    detached: true,
  });
  try {
    await once(child.stdout, 'data');
    const seen = treeBelow(child.pid ?? 0);
    assert.equal(seen.length, 2);
    assert.ok(seen.some(({ command }) => search.in('arguments', command).length === 1));
    assert.ok(seen.every(({ environment }) => search.in('environment', environment).length === 1));
  } finally {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }
});
