import { once } from 'node:events';
import { createServer } from 'node:net';

/** A server behind a socket, which says nothing to anybody and ends the connection. */
export interface Listening extends AsyncDisposable {
  /** How many have come. */
  readonly connections: number;
}

export async function listening(path: string): Promise<Listening> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket
      .on('error', () => undefined)
      .resume()
      .end();
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    get connections() {
      return connections;
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}
