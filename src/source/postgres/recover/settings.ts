import type { Replay } from '../../recovery.ts';
import { isolatedSettings, settingLines } from '../isolated-settings.ts';
import { lsnText } from '../lsn.ts';

export interface RecoverySettings extends Pick<Replay, 'moment' | 'edge' | 'epoch'> {
  readonly command: string;
  /** Where hba and ident stand. */
  readonly own: string;
  readonly capacities: Readonly<Record<string, string>>;
  readonly needs: Replay['needs'];
}

/**
 * The whole configuration of a server that replays. Nobody asks it anything meanwhile, so that it needs no more capacity
 * than this host has; what was prepared must find room all the same. Its socket stands in the data directory, which is
 * its owner's alone.
 */
export function recoverySettings({ command, own, capacities, needs, ...asked }: RecoverySettings): string {
  return settingLines({
    ...isolatedSettings,
    unix_socket_directories: '.',
    hba_file: `${own}/pg_hba.conf`,
    ident_file: `${own}/pg_ident.conf`,
    ...enough(capacities, needs),
    ...replaySettings(command, asked),
  });
}

/** What makes a server with a recovery.signal replay, quietly, and say in a known tongue how it goes. */
export function replaySettings(
  command: string,
  asked: Pick<Replay, 'moment' | 'edge' | 'epoch'>,
): Readonly<Record<string, string>> {
  const words = { lc_messages: 'C', log_line_prefix: '', log_min_messages: 'warning', log_timezone: 'UTC' };
  return { ...words, hot_standby: 'off', restore_command: command, ...targetSettings(asked) };
}

/** What the backup had, or the log has since. */
export function enough(
  capacities: RecoverySettings['capacities'],
  needs: RecoverySettings['needs'],
): Readonly<Record<string, string>> {
  const raised = Object.entries(needs).map(([name, value]): readonly [string, string] => [
    name,
    `${Math.max(value, Number(capacities[name] ?? 0))}`,
  ]);
  return Object.fromEntries([...Object.entries(capacities).filter(([, value]) => value !== ''), ...raised]);
}

export function targetSettings({
  moment,
  edge,
  epoch,
}: Pick<Replay, 'moment' | 'edge' | 'epoch'>): Readonly<Record<string, string>> {
  return {
    ...stopAt(moment),
    recovery_target_inclusive: edge === 'included' ? 'on' : 'off',
    recovery_target_timeline: `${epoch}`,
    recovery_target_action: 'promote',
  };
}

function stopAt(moment: Replay['moment']): Readonly<Record<string, string>> {
  switch (moment.kind) {
    case 'time':
      return { recovery_target_time: timeText(moment.timeNs) };
    case 'position':
      return { recovery_target_lsn: lsnText(moment.at) };
    case 'transaction':
      return { recovery_target_xid: `${moment.id}` };
    case 'name':
      return { recovery_target_name: moment.name };
    case 'consistent':
      return { recovery_target: 'immediate' };
    case 'latest':
      return {};
  }
}

/** In the microseconds that the server counts. */
function timeText(timeNs: bigint): string {
  const text = Temporal.Instant.fromEpochNanoseconds(timeNs).toString({ fractionalSecondDigits: 6 });
  return text.replace('T', ' ').replace('Z', '+00');
}

/** For a shell, in a setting where % has a meaning. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`.replaceAll('%', '%%');
}
