import { existsSync } from 'node:fs';
import { HoldfastError } from '../../../errors/error.ts';

/** What libpq finds in the environment of a program that uses it. */
export type LibpqEnvironment = Readonly<Record<string, string>>;

/** By the names that an address has for them. */
const parameters: Readonly<Record<string, string>> = {
  host: 'PGHOST',
  hostaddr: 'PGHOSTADDR',
  port: 'PGPORT',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  dbname: 'PGDATABASE',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslcrl: 'PGSSLCRL',
  sslnegotiation: 'PGSSLNEGOTIATION',
  ssl_min_protocol_version: 'PGSSLMINPROTOCOLVERSION',
  ssl_max_protocol_version: 'PGSSLMAXPROTOCOLVERSION',
  channel_binding: 'PGCHANNELBINDING',
  require_auth: 'PGREQUIREAUTH',
  gssencmode: 'PGGSSENCMODE',
  krbsrvname: 'PGKRBSRVNAME',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  application_name: 'PGAPPNAME',
  options: 'PGOPTIONS',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
};

/** Where systems keep the authorities that they trust, which libpq doesn't look for by itself. */
const authorities = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];

/**
 * An address as variables: a program's arguments can be seen by every user of a host, its environment by its own user
 * alone. 'refused' for an address that is none, which is not repeated.
 */
export function libpqEnvironment(url: string, database?: string): LibpqEnvironment {
  const all = addressParts(url);
  if (database !== undefined) all.set('dbname', database);
  return {
    PGCONNECT_TIMEOUT: '30',
    PGAPPNAME: 'holdfast',
    ...Object.fromEntries([...all].map(([name, text]) => [variableOf(name), text])),
  };
}

/** What an address says, by libpq's names, in a map of the caller's own. */
export function addressParts(url: string): Map<string, string> {
  const address = URL.parse(url);
  if (address === null || !/^postgres(?:ql)?:$/.test(address.protocol)) throw noAddress();
  const { hostname, port, username, password, pathname, searchParams } = address;
  const own = { host: unbracketed(hostname), port, user: username, password, dbname: pathname.slice(1) };
  const given = Object.entries(own).flatMap(([name, text]) => (text === '' ? [] : [[name, decoded(text)] as const]));
  const all = new Map([...given, ...searchParams]);
  if (all.get('sslmode')?.startsWith('verify-') === true && !all.has('sslrootcert')) {
    const trusted = authorities.find((path) => existsSync(path));
    if (trusted !== undefined) all.set('sslrootcert', trusted);
  }
  return all;
}

function variableOf(name: string): string {
  const variable = parameters[name];
  if (variable !== undefined) return variable;
  throw new HoldfastError('unsupported', `the address of the PostgreSQL server says ${name}, which is not known here`);
}

function unbracketed(hostname: string): string {
  return decoded(hostname.replace(/^\[(.*)\]$/, '$1'));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw noAddress();
  }
}

function noAddress(): HoldfastError {
  return new HoldfastError('refused', 'the address of the PostgreSQL server can’t be understood');
}
