import { HoldfastError } from '../../errors/error.ts';
import { ServerError, type ServerConnection } from './connect.ts';
import { capacityNames } from './capacities.ts';

/** What a server says of itself, as far as its role may see it. */
export interface ServerFacts {
  readonly major: number;
  /** `15.18`. */
  readonly version: string;
  readonly segmentBytes: number;
  /** Permission bits of the data directory. */
  readonly dataMode: number;
  readonly dataChecksums: 'on' | 'off';
  /** What the address leads to. */
  readonly database: string;
  /** The role that every cluster begins with. */
  readonly superuser: string;
  /** What a copy must have at least as much of, to replay the log. */
  readonly capacities: Readonly<Record<string, string>>;
  /** undefined: the role may not see it. */
  readonly dataDirectory: string | undefined;
  /** Absolute paths of files of the configuration. */
  readonly configuration: readonly string[];
}

const knownMajors = { from: 14, to: 18 } as const;

const settingNames = [
  'server_version_num',
  'server_version',
  'wal_segment_size',
  'data_directory_mode',
  'data_checksums',
  'data_directory',
  'config_file',
  'hba_file',
  'ident_file',
] as const;

/** 'unsupported' for a major that this version doesn't know: its backups might not restore. */
export async function serverFacts(server: ServerConnection): Promise<ServerFacts> {
  const names = [...settingNames, ...capacityNames].map((name) => `'${name}'`).join(', ');
  const rows = await server.rows(`select name, setting from pg_settings where name in (${names})`);
  const settings = new Map(rows.map(([name, setting]) => [name, setting ?? undefined]));
  const number = settings.get('server_version_num');
  const version = settings.get('server_version') ?? String(number);
  const major = Math.floor(Number(number) / 10_000);
  const { from, to } = knownMajors;
  if (!(major >= from && major <= to))
    throw new HoldfastError(
      'unsupported',
      `PostgreSQL ${version} is not known to this version of Holdfast, which knows ${from} to ${to}`,
    );
  const files = ['config_file', 'hba_file', 'ident_file'].flatMap((name) => settings.get(name) ?? []);
  return {
    major,
    version,
    segmentBytes: Number(settings.get('wal_segment_size')),
    dataMode: Number.parseInt(settings.get('data_directory_mode') ?? '0700', 8),
    dataChecksums: settings.get('data_checksums') === 'on' ? 'on' : 'off',
    ...(await whoIsWho(server)),
    capacities: Object.fromEntries(capacityNames.flatMap((name) => [[name, settings.get(name) ?? '']])),
    dataDirectory: settings.get('data_directory'),
    configuration: [...new Set([...files, ...(await includedFiles(server, major))])],
  };
}

async function whoIsWho(server: ServerConnection): Promise<Pick<ServerFacts, 'database' | 'superuser'>> {
  const [[database, superuser] = []] = await server.rows(
    'select current_database(), rolname from pg_roles where oid = 10',
  );
  return { database: database ?? 'postgres', superuser: superuser ?? 'postgres' };
}

/**
 * Files that others include, as Debian's conf.d and, from 16 on, those of pg_hba.conf and pg_ident.conf. Where the role may
 * not list them all, those from which a setting in effect comes.
 */
async function includedFiles(server: ServerConnection, major: number): Promise<readonly string[]> {
  const effective = 'select distinct sourcefile from pg_settings where sourcefile is not null';
  const listed = 'select distinct sourcefile from pg_file_settings where sourcefile is not null';
  const access = ['pg_hba_file_rules', 'pg_ident_file_mappings'].map(
    (view) => `select distinct file_name from ${view}`,
  );
  const rows = [
    ...(await server.rows(effective)),
    ...((await unlessForbidden(async () => await server.rows(listed))) ?? []),
  ];
  for (const query of major >= 16 ? access : [])
    rows.push(...((await unlessForbidden(async () => await server.rows(query))) ?? []));
  return rows.flatMap(([file]) => file ?? []);
}

/** Undefined where the role may not ask. */
export async function unlessForbidden<Result>(ask: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ServerError && error.sqlState === insufficientPrivilege) return undefined;
    throw error;
  }
}

export const insufficientPrivilege = '42501';

export interface ConfigurationFile {
  readonly bytes: Uint8Array;
  readonly mtimeNs: bigint;
}

/** undefined: the role may not read it. */
export async function readConfiguration(
  server: ServerConnection,
  path: string,
): Promise<ConfigurationFile | undefined> {
  const query = `select encode(pg_read_binary_file($1), 'hex'),
    extract(epoch from date_trunc('second', (pg_stat_file($1)).modification))::bigint`;
  try {
    const [[hex, seconds] = []] = await server.rows(query, [path]);
    return { bytes: Uint8Array.fromHex(hex ?? ''), mtimeNs: BigInt(seconds ?? 0) * 1_000_000_000n };
  } catch (error) {
    if (error instanceof ServerError && error.sqlState === insufficientPrivilege) return undefined;
    throw error;
  }
}
