import { slotName } from '../slot-name.ts';
import type { Client, HbaRule, SetupFacts } from './facts.ts';
import { changed, fine, lasting, settingOf, type Looked, type PlannedItem } from './planning.ts';

/** What base backups, and a stream, need of the server. */
export function planReplication(looked: Looked): readonly PlannedItem[] {
  return [walLevel(looked.facts), senders(looked), slots(looked), hba(looked)];
}

function walLevel(facts: SetupFacts): PlannedItem {
  const { value } = settingOf(facts, 'wal_level');
  const why = 'with minimal the log lacks what a base backup needs to become consistent';
  if (value !== 'minimal')
    return lasting(facts, { name: 'wal_level', why, byDefault: 'replica', isEnough: (later) => later !== 'minimal' });
  return changed(facts, { name: 'wal_level', value: 'replica', effect: 'restart', why });
}

function wantsSender({ facts, wanted, component }: Looked): boolean {
  const isStreaming = facts.slots.some(({ name, active }) => active && name === slotName(component));
  return wanted.log?.mode === 'stream' && !isStreaming;
}

function senders(looked: Looked): PlannedItem {
  const { facts } = looked;
  const needed = 2 + (wantsSender(looked) ? 1 : 0);
  return capacity(facts, { name: 'max_wal_senders', used: facts.sendersInUse, needed, who: 'a backup takes two' });
}

function slots(looked: Looked): PlannedItem {
  const { facts } = looked;
  const needed = 1 + (looked.wanted.log?.mode === 'stream' ? 1 : 0);
  const used = facts.slots.filter(({ name }) => name !== slotName(looked.component)).length;
  return capacity(facts, { name: 'max_replication_slots', used, needed, who: 'a backup takes one while it runs' });
}

interface Capacity {
  readonly name: 'max_wal_senders' | 'max_replication_slots';
  readonly used: number;
  readonly needed: number;
  readonly who: string;
}

function capacity(facts: SetupFacts, { name, used, needed, who }: Capacity): PlannedItem {
  const most = Number(settingOf(facts, name).value);
  const found = `${most}, of which ${used} are in use`;
  const isEnough = (value: string): boolean => Number(value) - used >= needed;
  const why = `${needed} have to be free: ${who}`;
  if (isEnough(`${most}`)) return lasting(facts, { name, why, found, byDefault: '10', isEnough });
  return changed(facts, { name, value: `${used + needed}`, effect: 'restart', why, found });
}

function hba({ facts, lettingIn }: Looked): PlannedItem {
  const name = 'pg_hba.conf';
  const broken = facts.hba?.find(({ error }) => error !== '');
  if (lettingIn.state === 'let in')
    return broken === undefined ? fine(name, 'lets the role in') : inError(facts, broken);
  if (lettingIn.by === 'role') return fine(name, 'lets the role in, which then lacks REPLICATION');
  const { message: found } = lettingIn;
  if (lettingIn.by !== 'pg_hba') return { name, state: 'unknown', found };
  return {
    name,
    state: 'by hand',
    found,
    wanted: 'a line for replication connections of the role',
    why: 'base backups and the log come over replication connections; “all” for the database does not mean them',
    effect: 'reload',
    lines: { where: place(facts), text: [lineFor(facts), 'select pg_reload_conf();'] },
  };
}

function inError(facts: SetupFacts, { line, error }: HbaRule): PlannedItem {
  const file = fileOf(facts);
  return {
    name: 'pg_hba.conf',
    state: 'advice',
    found: `line ${line} is in error: ${error}`,
    wanted: 'lines that can be read',
    why: 'the server keeps the rules from before the error, and after its next start lets nobody in',
    effect: 'reload',
    lines: { where: file, text: [`mend line ${line}`] },
  };
}

/** The first line that fits decides. */
function place(facts: SetupFacts): string {
  const first = facts.hba?.find(({ databases }) => databases.includes('replication'));
  if (first === undefined) return `${fileOf(facts)}, at its end`;
  return `${first.file || fileOf(facts)}, above line ${first.line}`;
}

function fileOf(facts: SetupFacts): string {
  return settingOf(facts, 'hba_file').value || 'pg_hba.conf';
}

function lineFor(facts: SetupFacts): string {
  const { client, role } = facts;
  const user = /^[a-z_][a-z0-9_]*$/.test(role.name) ? role.name : `"${role.name}"`;
  if (client.address === undefined) return `local  replication  ${user}  peer`;
  const method = settingOf(facts, 'password_encryption').value === 'md5' ? 'md5' : 'scram-sha-256';
  return `${client.tls ? 'hostssl' : 'host'}  replication  ${user}  ${range(client.address)}  ${method}`;
}

function range(address: NonNullable<Client['address']>): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}
