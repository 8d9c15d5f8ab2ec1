import type { HeldStream, SetupItem, SetupWanted } from '../../setup.ts';
import type { GrantVerdict } from '../grant.ts';
import type { Setting, SettingName, SetupFacts } from './facts.ts';
import type { HeartbeatTable } from './heartbeat.ts';
import type { Here } from './here.ts';
import type { LettingIn } from './letting-in.ts';

/** What a plan is made of: everything that was looked at. Making it is pure. */
export interface Looked {
  readonly component: string;
  readonly facts: SetupFacts;
  readonly here: Here;
  readonly lettingIn: LettingIn;
  /** Undefined where the server isn't here. */
  readonly grant: GrantVerdict | undefined;
  /** Of the cluster's stream, where a first grant is to be issued. */
  readonly heldStream: HeldStream;
  readonly uid: number;
  /** How backups get at the files; 'from primary': the host’s, and the window is opened on another server. */
  readonly reads: 'protocol' | 'host' | 'host, from primary';
  readonly wanted: SetupWanted;
  /** Where the policy wants one. */
  readonly heartbeat?: HeartbeatTable | undefined;
}

/** What Holdfast does to have an item done. */
export type Change =
  | { readonly do: 'alter system'; readonly name: SettingName; readonly value: string }
  | { readonly do: 'create slot'; readonly name: string }
  | { readonly do: 'create heartbeat'; readonly table: string }
  | { readonly do: 'grant'; readonly dataDirectory: string };

export interface PlannedItem extends SetupItem {
  /** Of an item that is 'to apply'. */
  readonly change?: Change;
}

export interface WantedSetting {
  readonly name: SettingName;
  readonly value: string;
  readonly effect: 'reload' | 'restart';
  readonly why: string;
  /** Otherwise its value. */
  readonly found?: string;
}

const absent: Setting = { value: '', source: 'default', pending: false, mayAlter: false };

export function settingOf({ settings }: SetupFacts, name: SettingName): Setting {
  return settings.get(name) ?? absent;
}

export function fine(name: string, found: string): PlannedItem {
  return { name, state: 'fine', found };
}

/** A setting that is not as it is wanted: by ALTER SYSTEM where the role may, else by hand. */
export function changed(facts: SetupFacts, { name, value, effect, why, found }: WantedSetting): PlannedItem {
  const setting = settingOf(facts, name);
  const item = { name, found: found ?? (setting.value || 'empty'), wanted: value, why, effect };
  if (setting.pending) return { ...item, found: `${item.found} until a restart`, state: 'by hand', lines: restart };
  return altered(facts, { name, value }, item);
}

interface Lasting extends Pick<WantedSetting, 'name' | 'why' | 'found'> {
  /** What it is where no file says it. */
  readonly byDefault: string;
  readonly isEnough: (value: string) => boolean;
}

/** A setting that is as it is wanted; where a file says otherwise from a restart on, it is to stay so. */
export function lasting(facts: SetupFacts, { name, why, found, byDefault, isEnough }: Lasting): PlannedItem {
  const { value, pending } = settingOf(facts, name);
  const later = facts.fileSettings === undefined ? undefined : (facts.fileSettings.get(name) ?? byDefault);
  if (!pending || (later !== undefined && isEnough(later))) return fine(name, found ?? value);
  const then = later === undefined ? 'something else' : later;
  const item = { name, found: `${value}, and ${then} after a restart`, wanted: value, why, effect: 'reload' } as const;
  return altered(facts, { name, value }, item);
}

function altered(
  facts: SetupFacts,
  { name, value }: Pick<WantedSetting, 'name' | 'value'>,
  item: Omit<PlannedItem, 'state'>,
): PlannedItem {
  const setting = settingOf(facts, name);
  const hindrance = hindranceOf(facts, setting);
  if (hindrance === undefined) return { ...item, state: 'to apply', change: { do: 'alter system', name, value } };
  return { ...item, state: 'by hand', lines: { where: hindrance, text: [`${name} = ${fileValue(value)}`] } };
}

const restart = { where: 'the server', text: ['restart it: the change counts from then on'] } as const;

/** Why ALTER SYSTEM is of no use, as the place where a person writes the line. */
function hindranceOf(facts: SetupFacts, { source, mayAlter }: Setting): string | undefined {
  const file = settingOf(facts, 'config_file').value || 'postgresql.conf';
  if (source === 'command line') return 'the command line of the server, which beats every file';
  if (settingOf(facts, 'allow_alter_system').value === 'off') return `${file} (allow_alter_system is off)`;
  if (mayAlter && facts.role.reloads) return undefined;
  return `${file}, then \`select pg_reload_conf()\` (the role may not ALTER SYSTEM and reload)`;
}

/** As postgresql.conf takes it. */
export function fileValue(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** Statements for a superuser. */
export function bySuperuser(...text: readonly string[]): NonNullable<SetupItem['lines']> {
  return { where: 'psql, as a superuser', text };
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
