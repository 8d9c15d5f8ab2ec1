import { connect, createServer, type Socket } from 'node:net';
import { requestReader, type RequestCounts } from './requests.ts';

/**
 * `slow-link.ts PORT DELAY_MS`, forked: stands before an HTTP server on 127.0.0.1 and hands on every byte, what the
 * server answers DELAY_MS later, at any rate. Sends the port that it listens on; to each message it replies with the
 * requests since the last one. A process of its own, so that no tool's CPU time has a part of it.
 */
const [serverPort = 0, delayMs = 0] = process.argv.slice(2).map(Number);
/** More than any link holds in 50 ms. */
const mostHeldBytes = 256 * 2 ** 20;
let counts: Record<string, number> = {};

const server = createServer({ noDelay: true }, (near) => {
  const far = connect({ port: serverPort, host: '127.0.0.1', noDelay: true });
  const read = requestReader((kind) => (counts[kind] = (counts[kind] ?? 0) + 1));
  const end = (): void => {
    near.destroy();
    far.destroy();
  };
  for (const socket of [near, far]) socket.on('error', end);
  near.on('data', read);
  near.pipe(far);
  near.on('close', end);
  if (delayMs === 0) far.pipe(near);
  else delayed(far, near);
});

function delayed(from: Socket, to: Socket): void {
  let heldBytes = 0;
  from.on('data', (bytes) => {
    heldBytes += bytes.length;
    if (heldBytes > mostHeldBytes) from.pause();
    setTimeout(() => {
      heldBytes -= bytes.length;
      if (!to.destroyed) to.write(bytes);
      from.resume();
    }, delayMs);
  });
  from.on('end', () => setTimeout(() => to.end(), delayMs));
}

process.on('message', () => {
  const taken: RequestCounts = counts;
  counts = {};
  process.send?.(taken);
});
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' ? address?.port : undefined);
});
