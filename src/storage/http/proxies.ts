import { isIPv4 } from 'node:net';
import { HoldfastError } from '../../errors/error.ts';

/** What Node's agents take. */
export interface Proxies {
  readonly HTTP_PROXY?: string;
  readonly HTTPS_PROXY?: string;
  readonly NO_PROXY: string;
}

/** Nobody wants a proxy between a host and itself. */
const near = ['localhost', '.localhost', '127.0.0.0-127.255.255.255', '::1', '[::1]'];

/**
 * The proxies of the environment, read as Go's programs do, restic among them: a proxy without a scheme speaks HTTP, a
 * name in NO_PROXY stands for what is below it too, and networks are written 10.0.0.0/8 (of IPv4 only). One that can't
 * be used is told without its value, which may hold a password: Node would pass it by, or show it.
 */
export function proxiesOf(environment: Readonly<Record<string, string | undefined>>): Proxies | undefined {
  const set = (name: string): string | undefined => environment[name] || environment[name.toLowerCase()] || undefined;
  const [http, https, none] = [set('HTTP_PROXY'), set('HTTPS_PROXY'), set('NO_PROXY')];
  if (http === undefined && https === undefined) return undefined;
  const exceptions = (none ?? '').split(',').map(exceptionOf);
  return {
    ...(http !== undefined && { HTTP_PROXY: proxyOf('HTTP_PROXY', http) }),
    ...(https !== undefined && { HTTPS_PROXY: proxyOf('HTTPS_PROXY', https) }),
    NO_PROXY: [...exceptions, ...near].filter((entry) => entry !== '').join(','),
  };
}

function proxyOf(name: string, text: string): string {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || url.hostname === '' || !isEscaped(url.username) || !isEscaped(url.password))
    throw new HoldfastError('usage', `the value of ${name} is no address of a proxy`);
  if (url.protocol === 'http:' || url.protocol === 'https:') return url.href;
  throw new HoldfastError('unsupported', `${name} names a proxy of ${url.protocol}, and there are http: and https:`);
}

function isEscaped(text: string): boolean {
  try {
    return decodeURIComponent(text) !== undefined;
  } catch {
    return false;
  }
}

/** An entry of NO_PROXY as Node reads it: there '.name' stands for the name, too, and '*.name' for what is below. */
function exceptionOf(text: string): string {
  const entry = text.trim().toLowerCase();
  const [, address = '', bits = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(entry) ?? [];
  if (isIPv4(address) && Number(bits) <= 32) return rangeOf(address, Number(bits));
  if (entry.startsWith('.')) return `*${entry}`;
  const isName = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(entry) && !isIPv4(entry);
  return isName ? `.${entry}` : entry;
}

function rangeOf(address: string, bits: number): string {
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - bits);
  const first = Math.floor(value / size) * size;
  return `${dotted(first)}-${dotted(first + size - 1)}`;
}

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
