import { createServer, type ListenOptions } from 'node:net';

/** Below those that systems give to connections and to whoever listens on any: nobody gets one of these by chance. */
const [first, count] = [16_000, 16_000] as const;
const mostTries = 200;

/**
 * A port of 127.0.0.1 that nobody listens on, and which no other test gets as long as this process lives: between its
 * choice and its server's start some seconds pass, and whoever waits for that server would be answered by another's.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < mostTries; tries++) {
    const port = first + Math.floor(Math.random() * count);
    if ((await claims(port)) && (await listens({ port, host: '127.0.0.1' })) === 'ended') return port;
  }
  throw new Error(`no port is free among ${mostTries}`);
}

/** By a name that is no file, which the system takes back with the process; other systems than Linux have none. */
async function claims(port: number): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  return (await listens({ path: `\0holdfast-test-port-${port}` }, 'kept')) === 'kept';
}

/** 'taken' where somebody listens there already. */
async function listens(at: ListenOptions, then: 'kept' | 'ended' = 'ended'): Promise<'taken' | 'kept' | 'ended'> {
  const { promise, resolve, reject } = Promise.withResolvers<'taken' | 'kept' | 'ended'>();
  const server = createServer();
  server.once('error', (error) => ('code' in error && error.code === 'EADDRINUSE' ? resolve('taken') : reject(error)));
  server.listen(at, () => {
    if (then === 'ended') return void server.close(() => resolve('ended'));
    server.unref();
    resolve('kept');
  });
  return await promise;
}
