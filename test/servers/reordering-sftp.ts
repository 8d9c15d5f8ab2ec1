/**
 * Runs what serves SFTP over its own input and output, and hands its answers on in another order:
 * `node reordering-sftp.ts SEED COUNTS PROGRAM ARGUMENT…`. For each answer that was overtaken the file COUNTS grows by a byte.
 */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { systemClock } from '../../src/clock/clock.ts';
import { seededRandom } from '../../src/storage/seeded.ts';

const holdMs = 3;
const mostHeld = 16;

const [seed = '', counts = '', program = '', ...args] = process.argv.slice(2);
const random = seededRandom(Number(seed));
const server = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
process.stdin.pipe(server.stdin);
server.stdin.on('error', () => undefined); // its end says more
server.once('exit', (code) => (process.exitCode = code ?? 1));

async function* packets(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  for await (const piece of bytes) {
    held = Buffer.concat([held, piece]);
    while (held.length >= 4 && held.length >= 4 + held.readUInt32BE()) {
      const end = 4 + held.readUInt32BE();
      yield held.subarray(0, end);
      held = held.subarray(end);
    }
  }
}

let shelf: Buffer[] = [];

function letGo(): void {
  const shuffled = shelf
    .map((packet, place) => ({ packet, place, rank: random() }))
    .toSorted((a, b) => a.rank - b.rank);
  const overtaken = shuffled.filter(({ place }, now) => place !== now).length;
  if (overtaken > 0) appendFileSync(counts, '.'.repeat(overtaken));
  shelf = [];
  for (const { packet } of shuffled) process.stdout.write(packet);
}

let greeted = false;
for await (const packet of packets(server.stdout)) {
  if (greeted) shelf.push(packet);
  else process.stdout.write(packet);
  greeted = true;
  if (shelf.length === 1) void systemClock.sleep(holdMs).then(letGo);
  if (shelf.length >= mostHeld) letGo();
}
letGo();
process.stdin.destroy();
