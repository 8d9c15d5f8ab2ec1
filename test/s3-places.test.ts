import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { openStorage } from '../src/storage/open.ts';
import type { Storage } from '../src/storage/storage.ts';
import { withoutGo } from './servers/go-program.ts';
import { s3Servers } from './servers/s3-servers.ts';
import { versitygw } from './servers/versitygw.ts';
import { answering, type Answer } from './support/answering.ts';

const skip = withoutGo();

/** One of each request. */
async function lives(storage: Storage): Promise<void> {
  await storage.put('data/aa/one', [Buffer.from('holdfast')]);
  await storage.put('config', [Buffer.from('x')], { ifAbsent: true });
  assert.equal((await storage.stat('data/aa/one')).sizeBytes, 8);
  const range = { offset: 4, length: 4 };
  assert.equal(Buffer.from(await storage.get('data/aa/one', { range })).toString(), 'fast');
  const listed = await Array.fromAsync(storage.list(''), ({ key }) => key);
  assert.deepEqual(listed.toSorted(), ['config', 'data/aa/one']);
  await storage.remove('data/aa/one');
  await assert.rejects(storage.get('data/aa/one'), { code: 'storage-not-found' });
}

/** Hands every request on, whatever host it is for. */
const proxyTo =
  (port: number): Answer =>
  (asked, response) => {
    const url = new URL(asked.url ?? '');
    const { method, headers } = asked;
    const onward = request({ host: '127.0.0.1', port, method, path: url.pathname + url.search, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    asked.pipe(onward);
  };

test('a bucket is a part of the host’s name where that is asked for, also through a proxy', { skip }, async () => {
  const domain = 's3.storage.example';
  await using server = await versitygw(domain);
  await using proxy = await answering(proxyTo(server.running.port));
  const environment = { ...server.owner, HTTP_PROXY: proxy.endpoint };
  const address = `s3:http://${domain}/shop/pre fix`;
  const options = new Map([['s3.bucket-lookup', 'dns']]);
  await using storage = await openStorage(address, { create: true, environment, options });
  await lives(storage);
  const hosts = new Set(proxy.requests.map(({ headers }) => headers.host));
  assert.deepEqual([...hosts], [`shop.${domain}`]);
  const near = { ...environment, HTTP_PROXY: 'http://127.0.0.1:1', NO_PROXY: 'storage.example' };
  await using direct = await openStorage(address, { environment: near, options });
  await assert.rejects(direct.get('config'), { code: 'storage-failed', message: /getaddrinfo/ });
});

for (const { name, start } of s3Servers) {
  test(`on ${name} a prefix of any characters is signed right`, { skip }, async () => {
    await using server = await start();
    const { owner: environment } = server;
    for (const prefix of ['a b', '100%', 'a+b=c&d', 'Größe', '(1)!*,;:@$~', 'a%20b', '日本']) {
      const address = `s3:${server.endpoint}/shop/${encodeURIComponent(prefix)}`;
      await using storage = await openStorage(address, { create: true, environment });
      await lives(storage);
      await using again = await openStorage(storage.url, { environment });
      assert.equal((await again.get('config')).length, 1);
    }
  });
}

for (const scheme of ['s3', 'rest']) {
  test(`${scheme}: a server is reached by its address of IPv6`, async () => {
    await using server = await answering((_, response) => response.end('x'), '::1');
    const environment = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'x' };
    const options = new Map([['s3.region', 'any']]);
    await using storage = await openStorage(`${scheme}:${server.endpoint}/shop`, { environment, options });
    assert.equal((await storage.get('config')).length, 1);
  });
}
