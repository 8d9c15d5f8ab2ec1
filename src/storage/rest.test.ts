import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { test } from 'node:test';
import { openStorage } from './open.ts';
import { parseRestAddress } from './rest/address.ts';
import type { Storage } from './storage.ts';

interface Served extends AsyncDisposable {
  readonly storage: Storage;
  readonly requests: readonly IncomingMessage[];
}

/** A server that answers as it is told. */
async function served(answer: (asked: IncomingMessage, response: ServerResponse) => void): Promise<Served> {
  const requests: IncomingMessage[] = [];
  const server = createServer((asked, response) => {
    requests.push(asked);
    answer(asked, response);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const storage = await openStorage(`rest:http://ann:s%3Acret@127.0.0.1:${port}/a%20b`);
  return {
    storage,
    requests,
    [Symbol.asyncDispose]: async () => {
      await storage[Symbol.asyncDispose]();
      server.closeAllConnections();
      server.close();
    },
  };
}

const id = 'ab'.repeat(32);
const pack = `data/ab/${id}`;

test('an address is taken apart as restic does, and shown without its password', () => {
  const { target, path, url, authorization } = parseRestAddress('https://ann:s%3Acret@host:8443/a/b');
  assert.deepEqual(target, { secure: true, hostname: 'host', port: '8443' });
  assert.deepEqual([path, url], ['/a/b/', 'rest:https://ann:***@host:8443/a/b/']);
  assert.equal(authorization, `Basic ${Buffer.from('ann:s:cret').toString('base64')}`);
  assert.equal(parseRestAddress('http://[::1]/').target.hostname, '::1');
  const socket = parseRestAddress('http+unix:///run/rest.sock:/ann/');
  assert.deepEqual([socket.target.socketPath, socket.path], ['/run/rest.sock', '/ann/']);
  assert.equal(parseRestAddress('http+unix:///run/rest.sock').target.socketPath, '/run/rest.sock');
  for (const wrong of ['', 'host/path', 'ftp://host/', 'http://host/?a=b', 'http://%zz:a@host/'])
    assert.throws(() => parseRestAddress(wrong), { code: 'usage' });
});

test('user and password come from the environment only where the address has neither', () => {
  const environment = { RESTIC_REST_USERNAME: 'bob', RESTIC_REST_PASSWORD: 'secret' };
  const ofEnvironment = `Basic ${Buffer.from('bob:secret').toString('base64')}`;
  assert.equal(parseRestAddress('http://host/', environment).authorization, ofEnvironment);
  assert.notEqual(parseRestAddress('http://ann@host/', environment).authorization, ofEnvironment);
  assert.equal(parseRestAddress('http://host/').authorization, undefined);
});

test('requests bear user, agent, and the protocol’s version, under the escaped path', async () => {
  await using server = await served((_, response) => response.end());
  await server.storage.put(pack, [Buffer.from('x')]);
  const [asked] = server.requests;
  assert.equal(asked?.url, `/a%20b/data/${id}`);
  assert.equal(asked?.headers['authorization'], `Basic ${Buffer.from('ann:s:cret').toString('base64')}`);
  assert.deepEqual([asked?.headers['user-agent'], asked?.headers['content-length']], ['holdfast', '1']);
  assert.equal(asked?.headers['accept'], 'application/vnd.x.restic.rest.v2');
});

test('a name that the protocol doesn’t know is not there, and never sent', async () => {
  await using server = await served((_, response) => response.end());
  const { storage } = server;
  await assert.rejects(storage.get('holdfast/records/a'), { code: 'storage-not-found' });
  await assert.rejects(storage.put('holdfast/records/a', []), { code: 'unsupported' });
  await assert.rejects(storage.put(`data/cd/${id}`, []), { code: 'unsupported' });
  assert.deepEqual(await Array.fromAsync(storage.list('holdfast/')), []);
  assert.equal(server.requests.length, 0);
});

const statuses = [
  [401, 'storage-denied'],
  [403, 'storage-denied'],
  [404, 'storage-not-found'],
  [405, 'storage-denied'],
  [413, 'storage-full'],
  [429, 'storage-failed'],
  [500, 'storage-failed'],
  [504, 'storage-timeout'],
  [507, 'storage-full'],
  [302, 'storage-failed'],
] as const;

test('each status means one error, told without a secret', async () => {
  for (const [status, code] of statuses) {
    await using server = await served((_, response) => {
      response.statusCode = status;
      response.end('no');
    });
    const { storage } = server;
    for (const failing of [async () => storage.get(pack), async () => storage.remove(pack)]) {
      const error: unknown = await failing().catch((thrown: unknown) => thrown);
      assert.ok(error instanceof Error && 'code' in error && error.code === code, String(status));
      assert.match(error.message, new RegExp(`${pack} in rest:http://ann:\\*\\*\\*@127`));
      assert.ok(!error.message.includes('cret'));
    }
  }
});

const strange: Readonly<Record<string, string>> = {
  'no JSON': '[{',
  'no list': '{"name":"a"}',
  'names that are none': '[{"name":1,"size":2}]',
  'sizes that are none': `[{"name":"${id}","size":-1}]`,
};

test('a server that sends no list is not believed', async () => {
  for (const [what, body] of Object.entries(strange)) {
    await using server = await served((_, response) => {
      response.setHeader('content-type', 'application/vnd.x.restic.rest.v2');
      response.end(body);
    });
    await assert.rejects(Array.fromAsync(server.storage.list('data/')), { code: 'storage-failed' }, what);
  }
});

test('a page for people is no answer: nothing was stored, removed or found', async () => {
  await using server = await served((asked, response) => {
    asked.resume();
    asked.once('end', () => response.setHeader('content-type', 'text/html; charset=utf-8').end('<p>Who are you?</p>'));
  });
  const { storage } = server;
  const asking = [() => storage.put(pack, [Buffer.from('x')]), () => storage.remove(pack), () => storage.stat(pack)];
  for (const ask of asking) await assert.rejects(ask, { code: 'storage-failed', message: /page for people/ });
  await assert.rejects(Array.fromAsync(storage.list('data/')), { code: 'storage-failed' });
});

test('a folder that is not there is empty where a repository is, and else a missing storage', async () => {
  for (const status of [200, 404]) {
    await using server = await served(({ method }, response) => {
      if (method === 'HEAD') response.writeHead(status, { 'content-length': 100 }).end();
      else response.writeHead(404).end('404 page not found');
    });
    const listing = Array.fromAsync(server.storage.list('snapshots/'));
    if (status === 200) assert.deepEqual(await listing, []);
    else await assert.rejects(listing, { code: 'storage-missing' });
  }
});

test('a list names each file once and no uploads under way; a server of v1 is asked for sizes', async () => {
  const names = [id, id, `${id}.rest-server-temp1`, '../../etc/passwd'];
  for (const version of ['v1', 'v2']) {
    await using server = await served(({ method }, response) => {
      response.setHeader('content-type', `application/vnd.x.restic.rest.${version}`);
      if (method === 'HEAD') response.setHeader('content-length', 7);
      response.end(JSON.stringify(version === 'v1' ? names : names.map((name) => ({ name, size: 7 }))));
    });
    assert.deepEqual(await Array.fromAsync(server.storage.list('data/')), [{ key: pack, sizeBytes: 7 }]);
  }
});

test('a server that sends more than was asked for takes no memory', async () => {
  await using server = await served((_, response) => {
    response.statusCode = 206;
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65536, 7)));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  });
  const { storage } = server;
  assert.equal((await storage.get(pack, { range: { offset: 3, length: 10 } })).length, 10);
  await assert.rejects(storage.get(pack, { maxBytes: 1000 }), { code: 'damaged' });
});

test('a range is taken from the whole object where the server sends that', async () => {
  await using server = await served((_, response) => response.end('0123456789'));
  const range = { offset: 3, length: 4 };
  assert.equal(Buffer.from(await server.storage.get('config', { range })).toString(), '3456');
  await assert.rejects(server.storage.get('config', { range: { offset: 8, length: 4 } }), { code: 'damaged' });
});

test('a body that ends early is a failure of the connection, not a short object', async () => {
  await using server = await served((_, response) => {
    response.setHeader('content-length', 100);
    response.write('part');
    response.socket?.end();
  });
  await assert.rejects(server.storage.get(pack), { code: 'storage-failed' });
});

test('an answer that ends with the connection may be cut, so it is no object and no list', async () => {
  await using server = await served((_, response) => {
    response.socket?.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[]');
  });
  await assert.rejects(server.storage.get(pack), { code: 'storage-failed' });
  await assert.rejects(Array.fromAsync(server.storage.list('data/')), { code: 'storage-failed' });
});

test('a server that hangs up on what it has is asked, and its copy compared', async () => {
  const content = Buffer.alloc(8 * 1024 * 1024, 1);
  let held = content;
  await using server = await served(({ method, socket }, response) => {
    if (method === 'POST') socket.resetAndDestroy();
    else if (method === 'HEAD') response.setHeader('content-length', held.length).end();
    else response.end(held);
  });
  await server.storage.put(pack, [content]);
  held = Buffer.alloc(content.length, 2);
  await assert.rejects(server.storage.put(pack, [content]), { code: 'storage-exists' });
});

test('a server that denies what it has is asked again, and only a short object is damaged', async () => {
  await using server = await served(({ method }, response) => {
    if (method === 'HEAD') response.setHeader('content-length', 10).end();
    else response.writeHead(404).end();
  });
  await assert.rejects(server.storage.get(pack), { code: 'storage-failed' });
  await assert.rejects(server.storage.get(pack, { range: { offset: 5, length: 5 } }), { code: 'storage-failed' });
  await assert.rejects(server.storage.get(pack, { range: { offset: 5, length: 6 } }), { code: 'damaged' });
});

test('a connection that is refused is a passing failure', async () => {
  await using storage = await openStorage('rest:http://127.0.0.1:1/');
  await assert.rejects(storage.get('config'), { code: 'storage-failed' });
});

test('an unknown option of REST is usage, one of another storage is not', async () => {
  const open = async (name: string, value: string): Promise<void> => {
    await using _storage = await openStorage('rest:http://127.0.0.1:1/', { options: new Map([[name, value]]) });
  };
  await open('s3.region', 'x');
  await open('rest.connections', '3');
  await assert.rejects(open('rest.connections', 'many'), { code: 'usage' });
  await assert.rejects(open('rest.timeout', '3'), { code: 'usage' });
});
