import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** A server on this machine that answers as it is told, and keeps what it was asked. */
export interface AnsweringServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  readonly requests: readonly IncomingMessage[];
  /** How many connections are open. */
  readonly connections: () => Promise<number>;
}

export type Answer = (asked: IncomingMessage, response: ServerResponse) => void;

export async function answering(answer: Answer, host = '127.0.0.1'): Promise<AnsweringServer> {
  const requests: IncomingMessage[] = [];
  const server = createServer((asked, response) => {
    requests.push(asked);
    answer(asked, response);
  });
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    endpoint: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    requests,
    connections: async () => {
      const { promise, resolve } = Promise.withResolvers<number>();
      server.getConnections((_, count) => resolve(count));
      return await promise;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Sends blanks for as long as somebody takes them. */
export function sendEndlessly(response: ServerResponse): void {
  const more = (): void => {
    while (!response.destroyed && response.write(Buffer.alloc(65536, 0x20)));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
}
