/** By which a copy neither follows, nor archives, nor listens beyond a socket, nor loads what production loads. */
export const isolatedSettings: Readonly<Record<string, string>> = {
  listen_addresses: '',
  external_pid_file: '',
  archive_mode: 'off',
  primary_conninfo: '',
  primary_slot_name: '',
  max_logical_replication_workers: '0',
  shared_preload_libraries: '',
  session_preload_libraries: '',
  local_preload_libraries: '',
  allow_in_place_tablespaces: 'on',
  autovacuum: 'off',
  huge_pages: 'off',
  jit: 'off',
  logging_collector: 'off',
  log_destination: 'stderr',
};

/** Lines of a configuration file; a value may hold anything. */
export function settingLines(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${value.replaceAll("'", "''").replaceAll('\\', '\\\\')}'\n`)
    .join('');
}
