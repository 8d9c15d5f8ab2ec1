import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { openS3 } from '../src/storage/s3.ts';
import { withoutGo } from './servers/go-program.ts';
import { s3Servers } from './servers/s3-servers.ts';
import { holdfastOk, holdfastProgram, runHoldfast } from './support/holdfast.ts';
import { runProgram } from './support/run-program.ts';
import { tempDir } from './support/temp-dir.ts';
import { cheapRepositoryAt } from './support/two-tools.ts';

const minuteMs = 60_000;

/** The variables of a program on a host whose clock is wrong by so much. */
function clockAhead(ms: number): Readonly<Record<string, string>> {
  return {
    NODE_OPTIONS: `--import=${join(import.meta.dirname, 'support/shifted-clock.ts')}`,
    SHIFT_CLOCK_MS: String(ms),
  };
}

for (const { name, start } of s3Servers) {
  test(
    `a host whose clock is wrong is told so by ${name}, by how much and what to do`,
    { skip: withoutGo() },
    async () => {
      await using server = await start();
      await using dir = await tempDir();
      const at = await cheapRepositoryAt(`s3:${server.endpoint}/bucket`, { environment: server.owner });
      await writeFile(dir.file('file'), 'kept');
      for (const [ms, words] of [
        [61 * minuteMs, /clock of this host is 61 minutes ahead of the storage's/],
        [-61 * minuteMs, /clock of this host is 61 minutes behind the storage's/],
      ] as const) {
        const run = await runHoldfast(at, ['backup', 'file'], {
          env: { ...server.owner, ...clockAhead(ms) },
          cwd: dir.path,
        });
        assert.equal(run.code, 1);
        assert.match(run.stderr, words);
        assert.match(run.stderr, /Set the clock of this host right/);
        assert.match(run.stderr, /docs\/errors\/clock-wrong\.md/);
        assert.doesNotMatch(run.stderr, /trying again/);
      }
      const little = { ...server.owner, ...clockAhead(2 * minuteMs) };
      await holdfastOk(at, ['backup', 'file'], { env: little, cwd: dir.path });
    },
  );
}

test('doctor storage tells how far this host’s clock is off', async () => {
  await using dir = await tempDir();
  for (const [ms, code, statement] of [
    [2 * minuteMs, 0, /! WARNING this host’s clock is 1\d\d seconds ahead of the storage’s/],
    [-20 * minuteMs, 1, /✖ FAILED this host’s clock is 1\d\d\d seconds behind the storage’s/],
  ] as const) {
    const run = await runProgram(holdfastProgram, ['-q', 'doctor', 'storage', dir.path], { env: clockAhead(ms) });
    assert.equal(run.code, code, run.stderr);
    assert.match(run.stdout.toString(), statement);
  }
});

/** As Amazon answers; its words are those of its documentation. */
const amazons = `<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current time is too large.</Message>
<RequestTime>20261121T120000Z</RequestTime><ServerTime>2026-11-21T10:00:00Z</ServerTime>
<MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds><RequestId>4442587FB7D0A2F9</RequestId></Error>`;

test('a refusal for the clock is understood with and without words, and another one isn’t taken for it', async () => {
  let ahead = 2 * 60 * minuteMs;
  const server = createServer((request, response) => {
    const date = new Date(Date.now() - ahead).toUTCString();
    response.writeHead(403, { 'date': date, 'content-type': 'application/xml' });
    const words = ahead === 0 ? '<Error><Code>AccessDenied</Code></Error>' : amazons;
    response.end(request.method === 'HEAD' ? undefined : words);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const address = server.address();
    assert.ok(typeof address === 'object' && address);
    const settings = { environment: { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'key' }, throttles: {} };
    await using storage = await openS3(`http://127.0.0.1:${address.port}/bucket`, settings);
    const told = { code: 'clock-wrong', message: /120 minutes ahead/ };
    await assert.rejects(storage.get('config'), told);
    await assert.rejects(storage.stat('config'), told);
    ahead = 0;
    await assert.rejects(storage.stat('config'), { code: 'storage-denied' });
  } finally {
    server.close();
  }
});
