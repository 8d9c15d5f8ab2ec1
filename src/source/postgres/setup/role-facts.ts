import type { ServerConnection } from '../connect.ts';
import { backupFunctions } from './backup-functions.ts';

/** What the role of the address may. */
export interface Role {
  readonly name: string;
  readonly kind: 'superuser' | 'role';
  readonly replicates: boolean;
  readonly seesSettings: boolean;
  readonly readsFiles: boolean;
  readonly reloads: boolean;
  /** By the functions that begin and end a backup. */
  readonly backsUp: boolean;
}

export async function roleOf(server: ServerConnection, major: number): Promise<Role> {
  const may = (...functions: readonly string[]): string =>
    functions.map((one) => `has_function_privilege('${one}', 'execute')`).join(' and ');
  const [row = []] = await server.rows(`select session_user, rolsuper::text, (rolsuper or rolreplication)::text,
    pg_has_role(session_user, 'pg_read_all_settings', 'usage')::text,
    (${may('pg_read_binary_file(text)', 'pg_stat_file(text)')}
      and pg_has_role(session_user, 'pg_read_server_files', 'usage'))::text,
    (${may('pg_reload_conf()')})::text, (${may(...backupFunctions(major))})::text
    from pg_roles where rolname = session_user`);
  const [name, superuser, ...rights] = row;
  const [replicates, seesSettings, readsFiles, reloads, backsUp] = rights.map((right) => right === 'true');
  return {
    name: name ?? '',
    kind: superuser === 'true' ? 'superuser' : 'role',
    replicates: replicates === true,
    seesSettings: seesSettings === true,
    readsFiles: readsFiles === true,
    reloads: reloads === true,
    backsUp: backsUp === true,
  };
}
