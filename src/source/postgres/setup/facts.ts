import type { Clock } from '../../../clock/clock.ts';
import type { ServerConnection } from '../connect.ts';
import { roleOf, type Role } from './role-facts.ts';
import { serverFacts, unlessForbidden, type ServerFacts } from '../server.ts';

/** What a server says of itself that matters for its set-up; undefined is what the role may not see. */
export interface SetupFacts extends ServerFacts {
  readonly systemIdentifier: string;
  readonly role: Role;
  readonly client: Client;
  readonly settings: ReadonlyMap<string, Setting>;
  readonly isStandby: boolean;
  readonly port: string;
  /** Seconds since 1970. */
  readonly startedAt: number;
  /** How far the server's clock is before ours, in seconds, and how exact that is. */
  readonly clock: { readonly aheadSeconds: number; readonly withinSeconds: number };
  readonly sendersInUse: number;
  readonly slots: readonly Slot[];
  readonly hba: readonly HbaRule[] | undefined;
  /** What files say of settings, where a server doesn't show it: while they have no effect, and until a restart. */
  readonly fileSettings: ReadonlyMap<string, string> | undefined;
}

/** How the server sees us. */
export interface Client {
  /** undefined: by a socket of its host. */
  readonly address: string | undefined;
  readonly tls: boolean;
}

export interface Setting {
  readonly value: string;
  /** `command line` beats every file. */
  readonly source: string;
  /** A file says something else, which counts after a restart. */
  readonly pending: boolean;
  /** Whether the role may ALTER SYSTEM it. */
  readonly mayAlter: boolean;
}

export interface Slot {
  readonly name: string;
  readonly type: string;
  readonly active: boolean;
  /** `lost`: the server recycled what it was to keep. */
  readonly walStatus: string;
  readonly reserved: boolean;
}

export interface HbaRule {
  readonly line: number;
  readonly file: string;
  readonly databases: readonly string[];
  readonly error: string;
}

const names = [
  ...[
    'wal_level',
    'max_wal_senders',
    'max_replication_slots',
    'max_slot_wal_keep_size',
    'idle_replication_slot_timeout',
  ],
  ...['archive_mode', 'archive_command', 'archive_library', 'archive_timeout', 'summarize_wal', 'allow_alter_system'],
  ...['full_page_writes', 'fsync', 'wal_segment_size', 'config_file', 'hba_file', 'port', 'password_encryption'],
] as const;

/** Of which files are asked: what a server doesn't show while it has no effect, and what counts from a restart on. */
const inFiles = [
  ...['archive_command', 'archive_library', 'archive_mode', 'wal_level', 'max_wal_senders', 'max_replication_slots'],
] as const;

export type SettingName = (typeof names)[number];

export async function setupFacts(server: ServerConnection, clock: Clock): Promise<SetupFacts> {
  const known = await serverFacts(server);
  return {
    ...known,
    settings: await settingsOf(server, known.major),
    role: await roleOf(server, known.major),
    ...(await whereWeAre(server, clock)),
    sendersInUse: Number((await server.rows('select count(*) from pg_stat_replication'))[0]?.[0] ?? 0),
    slots: await slotsOf(server),
    hba: await unlessForbidden(async () => await hbaOf(server, known.major)),
    fileSettings: await unlessForbidden(async () => await fileSettingsOf(server)),
  };
}

const listOf = (all: readonly string[]): string => all.map((name) => `'${name}'`).join(', ');

async function settingsOf(server: ServerConnection, major: number): Promise<ReadonlyMap<string, Setting>> {
  const mayAlter =
    major >= 15
      ? "has_parameter_privilege(name, 'ALTER SYSTEM')"
      : '(select rolsuper from pg_roles where rolname = current_user)';
  const rows = await server.rows(
    `select name, setting, source, pending_restart::text, (${mayAlter})::text from pg_settings where name in (${listOf(names)})`,
  );
  return new Map(
    rows.map(([name, value, source, pending, may]) => [
      name ?? '',
      { value: value ?? '', source: source ?? '', pending: pending === 'true', mayAlter: may === 'true' },
    ]),
  );
}

async function whereWeAre(
  server: ServerConnection,
  clock: Clock,
): Promise<Pick<SetupFacts, 'systemIdentifier' | 'client' | 'isStandby' | 'port' | 'startedAt' | 'clock'>> {
  const before = clock.nowNs();
  const [row = []] = await server.rows(`select
    (select system_identifier from pg_control_system())::text,
    host(inet_client_addr()), (select ssl from pg_stat_ssl where pid = pg_backend_pid())::text,
    pg_is_in_recovery()::text, current_setting('port'),
    extract(epoch from pg_postmaster_start_time())::text, extract(epoch from clock_timestamp())::text`);
  const half = Number(clock.nowNs() - before) / 2e9;
  const [system, address, tls, standby, port, started, now] = row;
  return {
    systemIdentifier: system ?? '',
    client: { address: address ?? undefined, tls: tls === 'true' },
    isStandby: standby === 'true',
    port: port ?? '',
    startedAt: Number(started),
    clock: { aheadSeconds: Number(now) - (Number(before) / 1e9 + half), withinSeconds: half },
  };
}

async function slotsOf(server: ServerConnection): Promise<readonly Slot[]> {
  const rows = await server.rows(
    "select slot_name, slot_type, active::text, coalesce(wal_status, ''), (restart_lsn is not null)::text from pg_replication_slots",
  );
  return rows.map(([name, type, active, walStatus, reserved]) => ({
    name: name ?? '',
    type: type ?? '',
    active: active === 'true',
    walStatus: walStatus ?? '',
    reserved: reserved === 'true',
  }));
}

async function hbaOf(server: ServerConnection, major: number): Promise<readonly HbaRule[]> {
  const file = major >= 16 ? "coalesce(file_name, '')" : "''";
  const rows = await server.rows(
    `select line_number, ${file}, array_to_string(database, ','), coalesce(error, '') from pg_hba_file_rules`,
  );
  return rows.map(([line, name, databases, error]) => ({
    line: Number(line),
    file: name ?? '',
    databases: (databases ?? '').split(','),
    error: error ?? '',
  }));
}

async function fileSettingsOf(server: ServerConnection): Promise<ReadonlyMap<string, string>> {
  const rows = await server.rows(
    `select name, setting from pg_file_settings where name in (${listOf(inFiles)}) order by seqno`,
  );
  return new Map(rows.map(([name, setting]) => [name ?? '', setting ?? '']));
}
