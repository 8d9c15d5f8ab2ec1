import { HoldfastError } from '../../errors/error.ts';
import type { HttpTarget } from '../http/http1.ts';
import { neverShow } from '../../secret/redact.ts';
import type { StorageSettings } from '../settings.ts';

export interface RestAddress {
  readonly target: HttpTarget;
  /** Of the repository on the server, beginning and ending with '/'. */
  readonly path: string;
  /** For people. */
  readonly url: string;
  /** The value of the Authorization header. */
  readonly authorization?: string;
}

const schemes: readonly string[] = ['http:', 'https:', 'http+unix:', 'https+unix:'];

/** Reads what follows `rest:`, as restic does: `https://user:password@host:port/path/`, `http+unix:///socket:/path/`. */
export function parseRestAddress(address: string, environment: StorageSettings['environment'] = {}): RestAddress {
  const url = URL.parse(address.endsWith('/') ? address : `${address}/`);
  if (url === null || !schemes.includes(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new HoldfastError('usage', 'the address of a REST server is not of the form rest:https://host:port/path/');
  }
  const secure = url.protocol.startsWith('https');
  const { socketPath, path } = url.protocol.endsWith('+unix:') ? socketOf(url.pathname) : { path: url.pathname };
  const authorization = authorizationOf(url, environment);
  return {
    target: {
      ...{ secure, hostname: url.hostname.replace(/^\[|\]$/g, ''), port: url.port || (secure ? '443' : '80') },
      ...(socketPath !== undefined && { socketPath }),
    },
    path,
    url: `rest:${url.protocol}//${withoutPassword(url)}${url.host}${url.pathname}`,
    ...(authorization !== undefined && { authorization }),
  };
}

/** `/run/rest.sock:/path/`: the socket, then what is asked for. */
function socketOf(pathname: string): { readonly socketPath: string; readonly path: string } {
  const [socket = '', ...rest] = decoded(pathname).split(':');
  const path = encodeURI(rest.join(':') || '/');
  return { socketPath: path === '/' ? socket.replace(/\/$/, '') : socket, path };
}

/** The environment counts only where the address names neither user nor password. */
function authorizationOf(url: URL, environment: NonNullable<StorageSettings['environment']>): string | undefined {
  const given = url.username !== '' || url.password !== '';
  const user = given ? decoded(url.username) : (environment['RESTIC_REST_USERNAME'] ?? '');
  const password = given ? decoded(url.password) : (environment['RESTIC_REST_PASSWORD'] ?? '');
  if (user === '' && password === '') return undefined;
  neverShow(password);
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function withoutPassword({ username, password }: URL): string {
  if (username === '' && password === '') return '';
  return password === '' ? `${username}@` : `${username}:***@`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new HoldfastError('usage', 'the address of the REST server has a % that begins no escape; write it as %25');
  }
}
