/** What begins and ends a backup by statements, as the server names them. */
export function backupFunctions(major: number): readonly string[] {
  return major >= 15
    ? ['pg_backup_start(text, boolean)', 'pg_backup_stop(boolean)']
    : ['pg_start_backup(text, boolean, boolean)', 'pg_stop_backup(boolean, boolean)'];
}
