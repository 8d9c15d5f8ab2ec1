import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { damage, work } from '../scripts/first-backup/changes.ts';
import { differences, inventoryOf } from '../scripts/first-backup/inventory.ts';
import { makeOriginals } from '../scripts/first-backup/originals.ts';
import { openStorage } from '../src/storage/open.ts';
import { budget } from './budget.ts';
import { freePort } from './servers/free-port.ts';
import { startRestServer, withoutRestServer } from './servers/rest-server.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { certificate, withoutOpenssl } from './support/certificate.ts';
import { proveConforms, needsOwnNames } from './support/conformance.ts';
import { holdfastOk, runHoldfast } from './support/holdfast.ts';
import { tempDir } from './support/temp-dir.ts';

const skip = withoutRestServer();

function packOf(bytes: Uint8Array, folder = 'data'): string {
  const id = createHash('sha256').update(bytes).digest('hex');
  return folder === 'data' ? `data/${id.slice(0, 2)}/${id}` : `${folder}/${id}`;
}

const bytes = Buffer.from('some bytes');

test('rest-server keeps the contract, through its names', { skip, timeout: 120_000 }, async (context) => {
  await using server = await startRestServer();
  await using storage = await openStorage(`rest:http://127.0.0.1:${server.port}/tried/`, { create: true });
  await proveConforms(context, 'REST (rest-server)', storage, needsOwnNames);
});

test(
  'rest-server takes what it has for stored, refuses other content, and nothing of it can be removed when it only appends',
  { skip },
  async () => {
    await using server = await startRestServer(async () => ['--no-auth', '--append-only']);
    await using storage = await openStorage(`rest:http://127.0.0.1:${server.port}/`, { create: true });
    const key = packOf(bytes);
    await storage.put(key, [bytes]);
    await storage.put(key, [bytes]);
    await assert.rejects(storage.put(key, [bytes], { ifAbsent: true }), { code: 'storage-exists' });
    await storage.put('config', [bytes], { ifAbsent: true });
    await assert.rejects(storage.put('config', [Buffer.from('other')]), { code: 'storage-exists' });
    for (const kept of [key, 'config'])
      await assert.rejects(storage.remove(kept), { code: 'storage-denied', next: /append-only/ });
    const lock = packOf(bytes, 'locks');
    await storage.put(lock, [bytes]);
    await storage.remove(lock);
    await assert.rejects(storage.get(lock), { code: 'storage-not-found' });
  },
);

test('rest-server’s size limit is a full storage', { skip }, async () => {
  await using server = await startRestServer(async () => ['--no-auth', '--max-size', '2000']);
  await using storage = await openStorage(`rest:http://127.0.0.1:${server.port}/`, { create: true });
  const large = Buffer.alloc(10_000, 1);
  await assert.rejects(storage.put(packOf(large), [large]), { code: 'storage-full' });
  assert.deepEqual(await Array.fromAsync(storage.list('')), []);
});

test(
  'users of rest-server are let in by address or environment, others are told so without a secret',
  { skip },
  async () => {
    await using server = await startRestServer(async ({ dir }) => {
      const hash = createHash('sha1').update('pass word').digest('base64');
      await writeFile(dir.file('data', '.htpasswd'), `ann:{SHA}${hash}\n`);
      return ['--private-repos'];
    });
    const place = `127.0.0.1:${server.port}/ann/`;
    const environment = { RESTIC_REST_USERNAME: 'ann', RESTIC_REST_PASSWORD: 'pass word' };
    for (const [url, settings] of [
      [`rest:http://ann:pass%20word@${place}`, {}],
      [`rest:http://${place}`, { environment }],
    ] as const) {
      await using storage = await openStorage(url, { ...settings, create: true });
      assert.deepEqual(await Array.fromAsync(storage.list('')), []);
    }
    await using storage = await openStorage(`rest:http://ann:wrong-secret@${place}`);
    await assert.rejects(storage.get('config'), (error: Error) => {
      assert.ok('code' in error && error.code === 'storage-denied');
      return !error.message.includes('wrong-secret') && error.message.includes('ann:***@');
    });
  },
);

test('rest-server on a socket of this machine', { skip }, async () => {
  await using dir = await tempDir();
  const socket = dir.file('rest.sock');
  await using _server = await startRestServer(async () => ['--no-auth', '--listen', `unix:${socket}`], socket);
  await using storage = await openStorage(`rest:http+unix://${socket}:/one/`, { create: true });
  await storage.put(packOf(bytes), [bytes]);
  assert.deepEqual(await storage.get(packOf(bytes)), bytes);
});

test(
  'a certificate is believed when --cacert names it or --insecure-tls asks for it, and never else',
  { skip: skip || withoutOpenssl },
  async () => {
    await using dir = await tempDir();
    const { cert, key } = await certificate(dir);
    await using server = await startRestServer(async () => [
      '--no-auth',
      '--tls',
      '--tls-cert',
      cert,
      '--tls-key',
      key,
    ]);
    const url = `rest:https://127.0.0.1:${server.port}/`;
    await assert.rejects(openStorage(url, { create: true }), { code: 'storage-denied', next: /--cacert/ });
    for (const tls of [
      { caFiles: [cert], insecure: false },
      { caFiles: [], insecure: true },
    ]) {
      await using storage = await openStorage(url, { create: true, tls });
      assert.deepEqual(await Array.fromAsync(storage.list('')), []);
    }
    for (const caFiles of [[key], [dir.file('absent')]])
      await assert.rejects(openStorage(url, { tls: { caFiles, insecure: false } }), { code: 'usage' });
  },
);

test('a server that asks for a certificate gets the one of --tls-client-cert', { skip: withoutOpenssl }, async () => {
  await using dir = await tempDir();
  const { cert, key } = await certificate(dir);
  const both = dir.file('both.pem');
  const [certText, keyText] = await Promise.all([readFile(cert, 'utf8'), readFile(key, 'utf8')]);
  await writeFile(both, certText + keyText);
  const server = createServer({ cert: certText, key: keyText, ca: certText, requestCert: true }, (_, response) => {
    response.setHeader('content-length', 3).end();
  });
  const port = await freePort();
  const listening = Promise.withResolvers<void>();
  server.listen(port, '127.0.0.1', listening.resolve);
  await listening.promise;
  const sizeWith = async (clientFile: object): Promise<number> => {
    const tls = { caFiles: [cert], insecure: false, ...clientFile };
    await using storage = await openStorage(`rest:https://127.0.0.1:${port}/`, { tls });
    return (await storage.stat('config')).sizeBytes;
  };
  try {
    assert.equal(await sizeWith({ clientFile: both }), 3);
    await assert.rejects(sizeWith({}), { code: 'storage-denied', next: /--tls-client-cert/ });
    await assert.rejects(sizeWith({ clientFile: cert }), { code: 'usage' });
  } finally {
    server.close();
  }
});

test(
  'Holdfast and restic work on one repository behind rest-server',
  { skip: skip || withoutRestic('0.19.1'), timeout: 300_000 },
  async () => {
    await using server = await startRestServer();
    await using dir = await tempDir();
    const at = { repository: `rest:http://127.0.0.1:${server.port}/team/`, password: 'two tools' };
    const originals = dir.file('originals');
    makeOriginals(originals, budget.originalsShare);
    await holdfastOk(at, ['init']);
    assert.equal((await runHoldfast(at, ['init'])).code, 1);
    await holdfastOk(at, ['backup', originals]);
    work(originals);
    const wanted = inventoryOf(originals);
    await resticOk('0.19.1', at, ['backup', originals]);
    assert.match(await resticOk('0.19.1', at, ['check', '--read-data']), /no errors were found/);
    damage(originals);
    await holdfastOk(at, ['check', '--read-data']);
    await holdfastOk(at, ['restore', 'latest', '--target', dir.file('restored')]);
    assert.deepEqual(differences(wanted, inventoryOf(join(dir.file('restored'), originals))), []);
    rmSync(originals, { recursive: true });
    mkdirSync(originals);
    makeOriginals(join(originals, 'moved'), budget.originalsShare);
    await holdfastOk(at, ['backup', originals]);
    await holdfastOk(at, ['forget', '--keep-last', '1', '--prune', '--max-unused', '0']);
    assert.match(await resticOk('0.19.1', at, ['check', '--read-data']), /no errors were found/);
    await resticOk('0.19.1', at, ['restore', 'latest', '--target', dir.file('again')]);
    const [before, after] = [inventoryOf(originals), inventoryOf(join(dir.file('again'), originals))];
    assert.deepEqual(differences(before, after), []);
  },
);
