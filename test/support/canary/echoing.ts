import type { IncomingMessage, ServerResponse } from 'node:http';
import { answering, type AnsweringServer } from '../answering.ts';

/** How a server that means no good answers: with all that it was told, wherever an answer has room for it. */
export type Echo =
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'redirect' }
  /** XML that breaks off, JSON that isn't any. */
  | { readonly kind: 'malformed' };

export interface EchoingServer extends AsyncDisposable {
  readonly endpoint: string;
  echo: Echo;
}

export async function echoing(): Promise<EchoingServer> {
  const server: AnsweringServer = await answering((asked, response) => answer(own.echo, asked, response));
  const own: EchoingServer = {
    endpoint: server.endpoint,
    echo: { kind: 'status', status: 403 },
    [Symbol.asyncDispose]: async () => await server[Symbol.asyncDispose](),
  };
  return own;
}

function answer(echo: Echo, asked: IncomingMessage, response: ServerResponse): void {
  asked.resume();
  const told = `${asked.method} ${asked.url} ${JSON.stringify(asked.headers)}`;
  const text = told.replaceAll(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  const whole = `<?xml version="1.0"?><Error><Code>Echo</Code><Message>${text}</Message><Resource>${text}</Resource></Error>`;
  const body = echo.kind === 'malformed' ? whole.slice(0, -12) : whole;
  const headers = {
    'content-type': 'application/xml',
    'www-authenticate': `Basic realm="${told.replaceAll('"', "'")}"`,
    'x-amz-error-message': told,
    'retry-after': '0',
    ...(echo.kind === 'redirect' && { location: `http://${told.replaceAll(/[^A-Za-z0-9+/=:]/g, '.')}.invalid/` }),
  };
  const status = echo.kind === 'status' ? echo.status : echo.kind === 'redirect' ? 301 : 200;
  response.writeHead(status, `Echo ${told.replaceAll(/[^\x20-\x7e]/g, '.')}`, headers);
  response.end(asked.method === 'HEAD' ? undefined : body);
}
