import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../clock/clock.ts';
import { hasCode, HoldfastError } from '../errors/error.ts';
import { deriveKey } from './kdf.ts';
import { calibrate, makeKeyFile, openKeyFile, parseKeyFile, randomMasterKey } from './key.ts';

const params = { N: 16, r: 8, p: 1 };
const resticPassword = 'holdfast пароль';

/** Written by restic 0.14 for the password above. */
const resticKeyFile = {
  created: '2026-11-21T10:10:31.058062594Z',
  username: 'me',
  hostname: 'example',
  kdf: 'scrypt',
  N: 32768,
  r: 8,
  p: 3,
  salt: 'BLrpICJypgtEjqnz+xCUb64j0IiZA7ESQEbKDT9Fg8G6yKUlWG8jYI0OOeRyIyFnav4/kvZKcPN8DHHEIaNYyQ==',
  data:
    'vHApDOxwzk3tF0qLxCkS/fzDQKN95owdZ2aQIAXQzIjSylrXYWV+nEcRGnVU6QOlhKOPufzuJVpMMxvndARe+4nOW7dISbx+18QgkZnotvJ7t6pX' +
    'W4tpaKsPgNy8fMr7SPTzAAZoEWjNOJ2UCHZwy2reqjeOAxp345GIu/COTUh2A4HEs8Kw8jB80UQeTqAS8+R9tIAlyV84to9GVS5Axw==',
};

/** As `restic cat masterkey` shows it. */
const resticMasterKey = {
  encrypt: 'z4h9DgZ7bOI9EsjhmH0PQWInb5R+Kix9NQ2142Q+EmY=',
  k: 'R+2AoaG8u95OW0sQ8RHssg==',
  r: '/gQvD1TT2wkg8aIDIAsmDw==',
};

const about = { created: '2026-01-02T03:04:05.678901234Z', username: 'me', hostname: 'here <&>' };

test('a key file opens with its password to the master key that it was made for', async () => {
  const master = randomMasterKey();
  for (const password of ['correct horse', 'пароль 🔑', Buffer.from([0xff, 0x00, 0x41])]) {
    const file = parseKeyFile(await makeKeyFile({ password, params, master, ...about }));
    assert.deepEqual({ ...file, salt: 0, data: 0 }, { ...about, ...params, salt: 0, data: 0 });
    const opened = await openKeyFile(file, password);
    assert.deepEqual(
      Buffer.concat([opened.encrypt, opened.macK, opened.macR]),
      Buffer.concat([master.encrypt, master.macK, master.macR]),
    );
  }
});

test('a key file that restic wrote opens to the key that it shows', async () => {
  const file = parseKeyFile(Buffer.from(JSON.stringify(resticKeyFile)));
  const opened = await openKeyFile(file, resticPassword);
  assert.deepEqual(
    { encrypt: opened.encrypt.toBase64(), k: opened.macK.toBase64(), r: opened.macR.toBase64() },
    resticMasterKey,
  );
});

test('a key file that says nothing of its maker, as rustic writes it, is read', () => {
  const { created: _created, username: _username, ...rest } = resticKeyFile;
  const file = parseKeyFile(Buffer.from(JSON.stringify({ ...rest, hostname: null })));
  assert.deepEqual([file.created, file.username, file.hostname], ['0001-01-01T00:00:00Z', '', '']);
  const wrong = Buffer.from(JSON.stringify({ ...rest, hostname: 7 }));
  assert.throws(() => parseKeyFile(wrong), { code: 'damaged' });
});

test('another password is told apart from damage', async () => {
  const file = parseKeyFile(await makeKeyFile({ password: 'right', params, master: randomMasterKey(), ...about }));
  await assert.rejects(openKeyFile(file, 'wrong'), (error) => hasCode(error, 'wrong-password'));
  await assert.rejects(openKeyFile({ ...file, data: file.data.subarray(0, 31) }, 'right'), (error) =>
    hasCode(error, 'damaged'),
  );
});

test('parameters that ask for too much memory or time are refused before any work', async () => {
  const salt = new Uint8Array(64);
  for (const hostile of [
    { N: 2 ** 30, r: 8, p: 1 },
    { N: 2, r: 2 ** 29, p: 1 },
    { N: 2, r: 1, p: 2 ** 30 },
    { N: 2 ** 15, r: 8, p: 100_000 },
  ]) {
    await assert.rejects(deriveKey('x', { ...hostile, salt }), (error) => hasCode(error, 'refused'));
  }
});

test('parameters that scrypt does not have are damage', async () => {
  for (const wrong of [
    { N: 0 },
    { N: 1 },
    { N: 15 },
    { N: -16 },
    { r: 0 },
    { p: 0 },
    { p: 1.5 },
    { salt: new Uint8Array(63) },
  ]) {
    await assert.rejects(deriveKey('x', { ...params, salt: new Uint8Array(64), ...wrong }), (error) =>
      hasCode(error, 'damaged'),
    );
  }
});

test('another key derivation than scrypt is unsupported by name', () => {
  assert.throws(
    () => parseKeyFile(Buffer.from('{"kdf":"argon2"}')),
    (error) => hasCode(error, 'unsupported') && /argon2/.test(error.message),
  );
});

test('whatever bytes stand in a key file, parsing gives a key file or a HoldfastError', () => {
  const mutated = fc
    .tuple(fc.constantFrom(...Object.keys(resticKeyFile)), fc.jsonValue())
    .map(([name, value]) => JSON.stringify({ ...resticKeyFile, [name]: value }));
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.json().map((text) => Buffer.from(text)),
    mutated.map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(anything, (bytes) => {
      try {
        parseKeyFile(bytes);
      } catch (error) {
        assert.ok(error instanceof HoldfastError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test('calibration stays within time and memory', async () => {
  const found = await calibrate(systemClock, { timeMs: 20, memoryMiB: 2 });
  assert.equal(found.r, 8);
  assert.ok(128 * found.r * found.N < 2 * 2 ** 20 && Math.log2(found.N) % 1 === 0 && found.p >= 1);
});
