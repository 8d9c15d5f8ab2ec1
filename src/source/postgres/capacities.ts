/**
 * Settings of the primary that a standby must not fall below, or it stops: in the order in which xl_parameter_change has
 * them.
 */
export const capacityNames = [
  'max_connections',
  'max_worker_processes',
  'max_wal_senders',
  'max_prepared_transactions',
  'max_locks_per_transaction',
] as const;
