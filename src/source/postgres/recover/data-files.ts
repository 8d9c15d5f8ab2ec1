import type { ForeignFolder } from '../../../host/foreign-folder.ts';
import { settingLines } from '../isolated-settings.ts';
import type { Replay } from '../../recovery.ts';
import { Workplace } from './workplace.ts';

/** What a server that ran, or followed, leaves in its data directory, and a copy has no use for. */
const leftovers = ['postmaster.pid', 'postmaster.opts', 'standby.signal', 'recovery.signal', 'recovery.done'] as const;

/** A copy archives nothing and follows nobody, whatever the configuration says that it came with. */
export const always: Readonly<Record<string, string>> = {
  archive_mode: 'off',
  primary_conninfo: '',
  primary_slot_name: '',
};
const forGood: Readonly<Record<string, string>> = {
  ...always,
  restore_command: '',
  recovery_end_command: '',
  archive_cleanup_command: '',
};

/**
 * Makes a data directory one that recovers from an archive, and by nobody's command yet: started so, a server refuses.
 * What production had set by ALTER SYSTEM waits beside it.
 */
export function prepareDirectory(folder: string, { settings = always, place }: Preparing = {}): void {
  using at = Workplace.open(folder, place);
  const { data, owner } = at;
  for (const name of leftovers) data.remove(name);
  const own = at.own();
  if (settings === always) own.remove('auto.conf');
  saveSettings(data, own);
  data.put('postgresql.auto.conf', settingLines(settings), { owner });
  data.put('recovery.signal', '', { owner });
  at.letThrough();
}

export interface Preparing {
  readonly settings?: Readonly<Record<string, string>>;
  /** That the data directory's name leads to, where it is restored over what stands there. */
  readonly place?: string;
}

/** Before anything else is written there: what was saved once is what production had. */
function saveSettings(data: ForeignFolder, own: ForeignFolder): void {
  if (own.has('auto.conf')) return;
  const draft = 'auto.conf.tmp';
  own.put(draft, data.text('postgresql.auto.conf') ?? '');
  own.sync(draft);
  own.rename(draft, own, 'auto.conf');
  own.sync();
}

/** What was replayed to another place than it should doesn't start by itself. */
export function waitAgain({ data, owner }: Workplace): void {
  data.put('recovery.signal', '', { owner });
}

/** Takes away what the recovery needed: the configuration that came with the copy is in force again, or will be. */
export function finishDirectory(at: Workplace, as: NonNullable<Replay['as']> = 'a copy'): void {
  const { data, owner } = at;
  const came = at.own().text('auto.conf') ?? '';
  const settings = as === 'a copy' ? `${withoutOurs(came)}${settingLines(forGood)}` : withoutTarget(came);
  const draft = 'postgresql.auto.conf.tmp';
  data.put(draft, settings, { owner });
  data.rename(draft, data, 'postgresql.auto.conf');
  for (const name of ['backup_label.old', 'tablespace_map.old']) data.remove(name);
  at.removeOwn();
}

/** Takes away what the recovery needed, and has it follow by these settings whenever it is started. */
export function finishStandby(at: Workplace, settings: Readonly<Record<string, string>>): void {
  const { data, owner } = at;
  const saved = at.own().text('auto.conf') ?? '';
  const came = without(saved, (name) => name in settings || isTarget(name));
  data.put('postgresql.auto.conf', `${came}${settingLines(settings)}`, { owner });
  data.put('standby.signal', '', { owner });
  data.remove('recovery.signal');
  at.removeOwn();
}

const isTarget = (name: string): boolean => name.startsWith('recovery_target');

function withoutOurs(text: string): string {
  return without(text, (name) => name in forGood || isTarget(name));
}

/** Of what takes the place of its original all else stays as it was. */
function withoutTarget(text: string): string {
  return without(text, isTarget);
}

function without(text: string, isOurs: (name: string) => boolean): string {
  const nameIn = (line: string): string => /^\s*([a-z_]+)\s*=/i.exec(line)?.[1]?.toLowerCase() ?? '';
  const kept = text.split('\n').filter((line) => line !== '' && !isOurs(nameIn(line)));
  return kept.map((line) => `${line}\n`).join('');
}
