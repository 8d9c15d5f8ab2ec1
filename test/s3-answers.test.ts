import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { hasCode } from '../src/errors/error.ts';
import { openS3 } from '../src/storage/s3.ts';
import type { Storage } from '../src/storage/storage.ts';
import { answering, sendEndlessly, type Answer } from './support/answering.ts';

const environment = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'of-nobody-else' };
const options = new Map([['s3.region', 'us-east-1']]);
const partBytes = 5 * 1024 * 1024;

/** What a storage does before a server that answers so. */
async function before<T>(answer: Answer, task: (storage: Storage) => Promise<T>): Promise<T> {
  await using server = await answering(answer);
  const address = `${server.endpoint}/bucket/prefix`;
  await using storage = await openS3(address, { environment, options, throttles: {} }, { partBytes });
  return await task(storage);
}

const says =
  (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer =>
  (asked, response) => {
    asked.resume();
    asked.once('end', () => response.writeHead(status, headers).end(body));
  };
const refuses = (status: number, code: string, headers = {}): Answer =>
  says(status, `<Error><Code>${code}</Code><Message>so it is</Message></Error>`, headers);

const listed = async (storage: Storage): Promise<unknown> => await Array.fromAsync(storage.list('data/'));
const versionsListed = async (storage: Storage): Promise<readonly unknown[]> =>
  await Array.fromAsync(storage.versions?.list('data/') ?? []);
const page = (content: string): Answer => says(200, `<ListBucketResult>${content}</ListBucketResult>`);
const complete = '<IsTruncated>false</IsTruncated>';
const goesOn = '<IsTruncated>true</IsTruncated>';
/** As an object, and as a version of one. */
const row = (key: string, rest = '<Size>5</Size>'): string =>
  ['Contents', 'Version'].map((kind) => `<${kind}><Key>${key}</Key>${rest}</${kind}>`).join('');

const noLists: Readonly<Record<string, Answer>> = {
  'nothing': says(200, ''),
  'a login page': says(200, '<html><body>Who are you?</body></html>'),
  'a page that goes on nowhere': page(goesOn + row('prefix/data/aa')),
  'the same page again': page(`${goesOn}<NextContinuationToken>x</NextContinuationToken>${row('prefix/data/aa')}`),
  'what lies elsewhere': page(complete + row('other/data/aa')),
  'an object without a size': page(complete + row('prefix/data/aa', '')),
  'a size below nothing': page(complete + row('prefix/data/aa', '<Size>-5</Size>')),
  'a date that is none': page(complete + row('prefix/data/aa', '<Size>5</Size><LastModified>today</LastModified>')),
  'a list that breaks off': says(200, `<ListBucketResult>${complete}${row('prefix/data/aa')}<Cont`),
};

for (const [what, answer] of Object.entries(noLists)) {
  test(`${what} is no list of a bucket, and never a short one`, { timeout: 120_000 }, async () => {
    await before(answer, async (storage) => {
      await assert.rejects(listed(storage), { code: 'storage-failed' });
      await assert.rejects(versionsListed(storage), { code: 'storage-failed' });
    });
  });
}

test('a page of versions that goes on nowhere, or where it was, is no list', { timeout: 120_000 }, async () => {
  const version = '<Version><Key>prefix/data/aa</Key><VersionId>1</VersionId><Size>5</Size></Version>';
  for (const marker of ['', '<NextKeyMarker></NextKeyMarker>', '<NextKeyMarker>prefix/data/aa</NextKeyMarker>'])
    await before(page(goesOn + marker + version), async (storage) => {
      await assert.rejects(versionsListed(storage), { code: 'storage-failed' });
    });
});

test('versions of one object come together, although a marker of another ends the page', async () => {
  const version = (key: string, id: number): string =>
    `<Version><Key>prefix/data/${key}</Key><VersionId>${id}</VersionId><Size>5</Size>` +
    `<LastModified>2024-01-0${id}T00:00:00Z</LastModified></Version>`;
  const marker = '<DeleteMarker><Key>prefix/data/b</Key><VersionId>7</VersionId></DeleteMarker>';
  const first = `${goesOn}<NextKeyMarker>prefix/data/c</NextKeyMarker>${version('a', 1)}${version('c', 3)}${marker}`;
  const answer: Answer = (asked, response) =>
    page(asked.url?.includes('key-marker') ? complete + version('c', 2) : first)(asked, response);
  const found = await before(answer, async (storage) => {
    return await Array.fromAsync(storage.versions?.list('data/') ?? [], ({ key, version: id }) => `${key} ${id}`);
  });
  assert.deepEqual(found, ['data/a 1', 'data/b 7', 'data/c 3', 'data/c 2']);
});

test('an answer without end takes no memory', { timeout: 120_000 }, async () => {
  const beforeBytes = process.memoryUsage.rss();
  for (const status of [200, 500])
    await before(
      (_, response) => sendEndlessly(response.writeHead(status)),
      async (storage) => {
        await assert.rejects(listed(storage), { code: 'storage-failed', message: /longer than/ });
        await assert.rejects(storage.get('config', { maxBytes: 1000 }), (error) =>
          hasCode(error, 'storage-failed', 'damaged'),
        );
      },
    );
  const grownBytes = process.memoryUsage.rss() - beforeBytes;
  assert.ok(grownBytes < 300 * 1024 * 1024, `${grownBytes} bytes were taken`);
});

test('entities that grow out of each other are not followed', async () => {
  const grow = Array.from({ length: 9 }, (_, n) => `<!ENTITY a${n + 1} "${`&a${n};`.repeat(10)}">`).join('');
  const bomb = `<!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">${grow}]><ListBucketResult>${complete}<Name>&a9;</Name></ListBucketResult>`;
  assert.deepEqual(await before(says(200, bomb), listed), []);
});

test('what was answered to something else is no object that was stored', async () => {
  const small = Buffer.from('x');
  const login = says(200, '<html><body>Who are you?</body></html>');
  await before(login, async (storage) => {
    await assert.rejects(storage.put('config', [small]), { code: 'storage-failed' });
  });
  const bodies: readonly string[] = ['', '<html></html>', '<Error><Code>InternalError</Code></Error>'];
  for (const body of bodies) {
    const aborted: string[] = [];
    const answer: Answer = (asked, response) => {
      if (asked.method === 'DELETE') aborted.push(asked.url ?? '');
      if (asked.method === 'PUT') says(200, '', { etag: '"x"' })(asked, response);
      else if (asked.url?.includes('uploads'))
        says(200, '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>')(
          asked,
          response,
        );
      else says(asked.method === 'POST' ? 200 : 204, asked.method === 'POST' ? body : '')(asked, response);
    };
    await before(answer, async (storage) => {
      await assert.rejects(storage.put('data/aa', [Buffer.alloc(partBytes + 1)]), { code: 'storage-failed' });
    });
    assert.equal(aborted.length, 1, 'the upload is not given up');
  }
});

test('an object of unknown size, or with an end that may be a cut, is not believed', async () => {
  const unknown: Answer = (_, response) =>
    void response.socket?.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf');
  await before(unknown, async (storage) => {
    await assert.rejects(storage.stat('config'), { code: 'storage-failed' });
    await assert.rejects(storage.get('config'), { code: 'storage-failed' });
  });
});

test('refusals mean what is certain, and no more', async () => {
  const refused = async (answer: Answer, code: string): Promise<void> => {
    await before(answer, async (storage) => {
      await assert.rejects(storage.put('config', [Buffer.from('x')], { ifAbsent: true }), { code });
      await assert.rejects(storage.get('config'), { code });
    });
  };
  await refused(refuses(409, 'ConditionalRequestConflict'), 'storage-failed');
  await refused(refuses(409, 'OperationAborted'), 'storage-failed');
  await refused(refuses(412, 'PreconditionFailed'), 'storage-exists');
  await refused(refuses(405, 'MethodNotAllowed'), 'storage-denied');
  await refused(refuses(405, 'MethodNotAllowed', { 'x-amz-delete-marker': 'true' }), 'storage-not-found');
  await refused(refuses(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'elsewhere-1' }), 'usage');
  await refused(refuses(307, 'TemporaryRedirect', { location: 'http://127.0.0.1:1/' }), 'storage-failed');
  await refused(refuses(503, 'SlowDown'), 'storage-failed');
});

test('where a server knows no conditions, an object that must not be there is looked for before it is stored', async () => {
  const held = new Map([
    ['/bucket', ''],
    ['/bucket/', ''],
  ]);
  const methods: string[] = [];
  const answer: Answer = (asked, response) => {
    const { method = '', url = '', headers } = asked;
    methods.push(method);
    const path = url.split('?')[0] ?? '';
    if (headers['if-none-match'] !== undefined) return refuses(501, 'NotImplemented')(asked, response);
    if (method === 'PUT') held.set(path, 'x');
    const found = held.get(path);
    if (found === undefined) return refuses(404, 'NoSuchKey')(asked, response);
    says(200, method === 'GET' ? found : '', { 'etag': '"x"', 'content-length': method === 'PUT' ? '0' : '1' })(
      asked,
      response,
    );
  };
  await before(answer, async (storage) => {
    const put = (key: string): Promise<void> => storage.put(key, [Buffer.from('x')], { ifAbsent: true });
    await put('config');
    assert.deepEqual(methods, ['PUT', 'HEAD', 'HEAD', 'PUT']);
    assert.equal(storage.capabilities.conditionalCreate, false);
    await assert.rejects(put('config'), { code: 'storage-exists' });
    await put('locks/a');
    assert.equal(held.size, 4);
  });
});

test('where a server asks for the MD5 of what it locks, every upload and part bears it from then on', async () => {
  const refusal =
    '<Error><Code>InvalidRequest</Code><Message>Content-MD5 OR x-amz-checksum- HTTP header is required for ' +
    'Put Object requests with Object Lock parameters</Message></Error>';
  const outcomes: string[] = [];
  const put = async (asked: IncomingMessage, response: ServerResponse): Promise<void> => {
    const bytes = await buffer(asked);
    const right = createHash('md5').update(bytes).digest('base64') === asked.headers['content-md5'];
    outcomes.push(right ? 'stored' : 'refused');
    response.writeHead(right ? 200 : 400, { etag: '"x"' }).end(right ? '' : refusal);
  };
  const answer: Answer = (asked, response) => {
    if (asked.method === 'PUT') return void put(asked, response);
    const body = asked.url?.includes('uploads')
      ? '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>'
      : '<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>';
    says(200, body)(asked, response);
  };
  await before(answer, async (storage) => {
    await storage.put('config', [Buffer.from('x')]);
    await storage.put('keys/x', [Buffer.from('y'), Buffer.from('z')], { ifAbsent: true });
    await storage.put('data/aa', [Buffer.alloc(partBytes + 1, 1)]);
  });
  assert.deepEqual(outcomes, ['refused', 'stored', 'stored', 'stored', 'stored']);
});

test('parts of what is locked bear their MD5, without being asked', async () => {
  const sums: unknown[] = [];
  const answer: Answer = (asked, response) => {
    if (asked.method === 'PUT') sums.push(asked.headers['content-md5']);
    const body = asked.url?.includes('uploads')
      ? '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>'
      : '<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>';
    says(200, asked.method === 'POST' ? body : '', { 'etag': '"x"', 'x-amz-version-id': '1' })(asked, response);
  };
  await before(answer, async (storage) => {
    const lock = { mode: 'compliance', untilNs: 2n ** 60n } as const;
    await storage.versions?.put('data/aa', [Buffer.alloc(partBytes + 1, 1)], lock);
  });
  assert.equal(sums.length, 2);
  assert.ok(sums.every((sum) => sum !== undefined));
});

test('an object larger than any of a repository takes no memory', async () => {
  const vast: Answer = (_, response) => void response.writeHead(200, { 'content-length': 5e12 }).write('x');
  await before(vast, async (storage) => {
    await assert.rejects(storage.get('config'), { code: 'damaged' });
    await assert.rejects(async () => await storage.versions?.get('config', '1'), { code: 'damaged' });
  });
});

test('what no repetition heals is told at once: a class, a region or a key that the server does not know', async () => {
  for (const [name, code] of [
    ['AuthorizationHeaderMalformed', 'usage'],
    ['InvalidStorageClass', 'usage'],
    ['InvalidArgument', 'usage'],
    ['KMS.NotFoundException', 'storage-denied'],
  ] as const)
    await before(refuses(400, name), async (storage) => {
      await assert.rejects(storage.put('config', [Buffer.from('x')]), { code });
    });
});

const regions: Readonly<Record<string, Answer>> = {
  'an answer': says(
    200,
    '<?xml version="1.0"?><LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">ap-south-9</LocationConstraint>',
  ),
  'a header of a refusal': refuses(403, 'AccessDenied', { 'x-amz-bucket-region': 'ap-south-9' }),
  'the words of a refusal': says(
    400,
    '<Error><Code>AuthorizationHeaderMalformed</Code><Message>x</Message><Region>ap-south-9</Region></Error>',
  ),
};

for (const [where, answer] of Object.entries(regions)) {
  test(`a bucket’s region is taken from ${where}; one that may come later is waited for`, async () => {
    const asked: string[] = [];
    await using server = await answering((request, response) => {
      asked.push(`${request.url} ${request.headers.authorization ?? ''}`);
      if (asked.length === 1) refuses(500, 'InternalError')(request, response);
      else if (request.url?.includes('location')) answer(request, response);
      else response.end('x');
    });
    await using storage = await openS3(`${server.endpoint}/bucket`, { environment, throttles: {} });
    await assert.rejects(storage.get('config'), { code: 'storage-failed' });
    await storage.get('config');
    assert.match(asked.at(-1) ?? '', /^\/bucket\/config.*\/ap-south-9\/s3\//);
  });
}

test('a server’s words reach a terminal without control characters, and not without end', async () => {
  const loud = `<Error><Code>Loud</Code><Message>${'&#27;[31m red &#7;'.repeat(1000)}</Message></Error>`;
  await before(says(400, loud), async (storage) => {
    await assert.rejects(storage.get('config'), (error) => {
      return error instanceof Error && error.message.length < 1000 && !/\p{Cc}/u.test(error.message);
    });
  });
});
