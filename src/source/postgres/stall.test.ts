import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { systemClock } from '../../clock/clock.ts';
import { ManualClock } from '../../clock/manual-clock.ts';
import { hasCode } from '../../errors/error.ts';
import { baseBackupCommand } from './base-backup.ts';
import { connectTo, type ServerConnection } from './connect.ts';
import type { Waits } from './waits.ts';

const longMs = 60_000;
const long: Waits = {
  clock: systemClock,
  connectMs: longMs,
  answerMs: longMs,
  firstMs: longMs,
  idleMs: longMs,
  endMs: 50,
};
const short = 50;

function message(type: string, body: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const letIn = Buffer.concat([message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))]);
const position = ['0/2000028', '1'].map((text) =>
  Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]),
);
const row = message('D', Buffer.concat([Buffer.from([0, 2]), ...position]));

interface Stalling extends AsyncDisposable {
  readonly url: string;
  readonly send: (bytes: Buffer) => void;
}

/** A server that sends one answer to each of the first things it is told, then nothing: it doesn't even close. */
async function stalling(answers: readonly Buffer[]): Promise<Stalling> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const left = [...answers];
    sockets.push(socket.on('error', () => undefined));
    socket.on('data', () => {
      const next = left.shift();
      if (next !== undefined) socket.write(next);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    url: `postgres://backup:kanarienvogel@127.0.0.1:${address.port}/shop`,
    send: (bytes) => void sockets.map((socket) => socket.write(bytes)),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function backUp(connection: ServerConnection): Promise<void> {
  const command = baseBackupCommand({ major: 17, label: 'x', checkpoint: 'fast' });
  for await (const answer of connection.command(command)) void answer;
}

const stalls: Readonly<
  Record<string, { readonly answers: readonly Buffer[]; readonly waits: Partial<Waits>; readonly said: RegExp }>
> = {
  'while it lets nobody in': { answers: [], waits: { connectMs: short }, said: /to let us in/ },
  'before its checkpoint is done': { answers: [letIn], waits: { firstMs: short }, said: /BASE_BACKUP/ },
  'in the midst of a backup': { answers: [letIn, row], waits: { idleMs: short }, said: /BASE_BACKUP/ },
};

for (const [when, { answers, waits, said }] of Object.entries(stalls)) {
  test(`a server that stalls ${when}, and doesn’t close, is given up, named, without its password`, async () => {
    await using server = await stalling(answers);
    const { signal } = new AbortController();
    const run = async (): Promise<void> => {
      await using connection = await connectTo({
        url: server.url,
        use: 'replication',
        signal,
        waits: { ...long, ...waits },
      });
      await backUp(connection);
    };
    await assert.rejects(
      run(),
      (error) =>
        hasCode(error, 'source-failed') &&
        said.test(error.message) &&
        /127\.0\.0\.1:\d+ has not answered for 0\.05 seconds.*unharmed/.test(error.message) &&
        /look at the log/.test(error.next) &&
        !/kanarien/.test(error.message + error.next),
    );
  });
}

test('a statement that is never answered is given up, and the goodbye is not waited for', async () => {
  await using server = await stalling([letIn]);
  const { signal } = new AbortController();
  const { url } = server;
  const run = async (): Promise<void> => {
    await using connection = await connectTo({
      url,
      use: 'statements',
      signal,
      waits: { ...long, answerMs: short },
    });
    await connection.rows('select 1');
  };
  await assert.rejects(run(), /has not answered.*when it was asked/);
  const idle = await connectTo({ url, use: 'statements', signal, waits: long });
  await idle[Symbol.asyncDispose]();
});

test('a repository that is slow is not taken for a server that stalls', async () => {
  await using server = await stalling([letIn, row]);
  const { signal } = new AbortController();
  const clock = new ManualClock();
  const waits = { ...long, clock, idleMs: short, firstMs: short };
  const connection = await connectTo({ url: server.url, use: 'replication', signal, waits });
  let rows = 0;
  for await (const answer of connection.command('IDENTIFY_SYSTEM')) {
    if (answer.kind !== 'row') continue;
    rows += 1;
    for (let stored = 0; stored < 5; stored++) {
      clock.advance(short);
      await turn();
    }
    server.send(Buffer.concat([message('C', Buffer.from('SELECT\0')), message('Z', Buffer.from('I'))]));
  }
  assert.equal(rows, 1);
  const goodbye = connection[Symbol.asyncDispose]();
  clock.advance(long.endMs);
  await goodbye;
});
