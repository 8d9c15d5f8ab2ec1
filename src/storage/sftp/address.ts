import { posix } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import { splitWords } from '../../secret/words.ts';

export interface SftpAddress {
  readonly user?: string;
  readonly host: string;
  readonly port?: string;
  /** Relative to where a login leads, or absolute. */
  readonly path: string;
  /** For people. */
  readonly url: string;
}

/** Reads what follows `sftp:`, as restic does: `user@host:path` or `//user@host:port/path` (`//` before an absolute one). */
export function parseSftpAddress(address: string): SftpAddress {
  const { user, host, port, directory } = address.startsWith('//') ? ofUrl(address) : ofWords(address);
  const path = posix.normalize(directory).replace(/(?<=.)\/$/, '');
  if (path.startsWith('~')) {
    throw new HoldfastError('usage', 'an SFTP server knows no ~: a relative path begins at home anyway');
  }
  if (host.startsWith('-') || user?.startsWith('-')) {
    throw new HoldfastError('usage', 'neither user nor host of an SFTP address can begin with -');
  }
  const isAddress = host.includes(':');
  const at = `${user === undefined ? '' : `${user}@`}${isAddress ? `[${host}]` : host}`;
  const isPlain = port === undefined && !isAddress;
  const url = isPlain ? `sftp:${at}:${path}` : `sftp://${at}${port === undefined ? '' : `:${port}`}/${path}`;
  return { host, path, url, ...(user !== undefined && { user }), ...(port !== undefined && { port }) };
}

interface Parts {
  readonly user: string | undefined;
  readonly host: string;
  readonly port: string | undefined;
  readonly directory: string;
}

function ofUrl(address: string): Parts {
  const url = URL.parse(`sftp:${address}`);
  if (url === null || url.pathname === '') throw malformed();
  return {
    user: url.username === '' ? undefined : decoded(url.username),
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? undefined : url.port,
    directory: decoded(url.pathname.slice(1)),
  };
}

function ofWords(address: string): Parts {
  const colon = address.indexOf(':');
  if (colon < 0) throw malformed();
  const login = address.slice(0, colon);
  const at = login.lastIndexOf('@');
  if (at < 0 && /^[^/]*@[^/]*:/.test(address.slice(colon + 1)))
    throw new HoldfastError('usage', 'an SFTP address has no place for a password: ssh asks for it, or has a key');
  return {
    user: at < 0 ? undefined : login.slice(0, at),
    host: login.slice(at + 1),
    port: undefined,
    directory: address.slice(colon + 1),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new HoldfastError('usage', 'the address of the SFTP server has a % that begins no escape; write it as %25');
  }
}

function malformed(): HoldfastError {
  return new HoldfastError('usage', 'the address is not of the form sftp:user@host:path or sftp://user@host:port/path');
}

export interface SftpOptions {
  /** Stands in place of the whole `ssh` line. */
  readonly command?: string;
  /** Added to it. */
  readonly args?: string;
}

/** The program that connects, and its arguments. */
export function sshCommand(
  { user, host, port }: SftpAddress,
  { command, args }: SftpOptions,
): readonly [program: string, ...args: readonly string[]] {
  if (command !== undefined) {
    if (args !== undefined) throw new HoldfastError('usage', 'sftp.command and sftp.args can’t stand together');
    const [program, ...rest] = splitWords(command);
    if (program === undefined) throw new HoldfastError('usage', 'the option sftp.command is empty');
    return [program, ...rest];
  }
  const login = [...(port === undefined ? [] : ['-p', port]), ...(user === undefined ? [] : ['-l', user])];
  return ['ssh', host, ...login, ...splitWords(args ?? ''), '-s', 'sftp'];
}
