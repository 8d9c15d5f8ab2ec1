import type { SetupItem } from '../../setup.ts';
import { archiveCommand, isOurs, isTooLong, restoreCommand } from './commands.ts';
import type { SetupFacts } from './facts.ts';
import { planGrant } from './granting.ts';
import { seeingFiles } from './role.ts';
import { changed, fileValue, fine, lasting, settingOf, type Looked, type PlannedItem } from './planning.ts';

/** `log: { mode: archive }`: the server hands each segment over. */
export function planArchiving(looked: Looked): readonly PlannedItem[] {
  const { facts, wanted } = looked;
  if (wanted.log?.mode !== 'archive') return leftOver(looked);
  if (facts.isStandby)
    return [{ name: 'archiving', state: 'by hand', found: 'this server is a standby', ...ofPrimary }];
  const granted = planGrant(looked);
  const first = [...wanted.missing, granted].find(({ state }) => state === 'by hand');
  const pushing = first === undefined ? command(looked) : waiting(command(looked), first);
  const archiving = pushing.state === 'by hand' ? waiting(mode(facts), pushing) : mode(facts);
  return [...wanted.missing, granted, pushing, archiving, ...timeout(looked), recovery(looked)];
}

/** A server that hands segments to who refuses them keeps them all, until its disk is full. */
function waiting(item: PlannedItem, first: SetupItem): PlannedItem {
  if (item.state !== 'to apply') return item;
  const { change: _later, ...rest } = item;
  return { ...rest, state: 'by hand', lines: { where: `after “${first.name}”`, text: ['run this command again'] } };
}

const ofPrimary = {
  wanted: 'the address of its primary in the policy',
  why: 'a standby archives nothing before it is promoted',
} as const;

/** What was ours, and nobody wants any more. */
function leftOver({ facts, component }: Looked): readonly PlannedItem[] {
  const { value } = settingOf(facts, 'archive_command');
  if (!isOurs(value, component)) return [];
  return [
    {
      name: 'archive_command',
      state: 'advice',
      found: value,
      wanted: 'none of Holdfast',
      why: 'the policy wants no archive of this component: its log would be refused, and pile up',
      effect: 'reload',
      lines: { where: 'the policy, or postgresql.conf', text: ['log: { mode: archive, … }', "archive_command = ''"] },
    },
  ];
}

function command(looked: Looked): PlannedItem {
  const { facts, component, wanted } = looked;
  const name = 'archive_command';
  const value = archiveCommand(component, facts.systemIdentifier, wanted);
  const configured = configuredCommand(facts);
  if (configured === value && !hasLibrary(facts)) return fine(name, 'hands each segment to Holdfast');
  const why = 'each finished segment of the log is handed to Holdfast; any role can read it, so no secret is in it';
  const there = hasLibrary(facts) ? `archive_library = ${settingOf(facts, 'archive_library').value}` : configured;
  const item = { name, found: there || 'empty', wanted: value, why, effect: 'reload' } as const;
  const byHand = (where: string): PlannedItem => ({ ...item, state: 'by hand', lines: { where, text: [value] } });
  if (isTooLong(value, facts.major))
    return byHand('nowhere: PostgreSQL up to 15 cuts it off. Give a shorter --state-dir and --config');
  if (there === undefined)
    return {
      ...item,
      state: 'by hand',
      found: 'not to be seen while archiving is off',
      lines: seeingFiles(facts.role.name),
    };
  if (hasLibrary(facts)) return byHand('archive_command, with archive_library emptied: only one of the two counts');
  const isForeign = there !== '' && !isOurs(there, component);
  if (isForeign && wanted.foreign === 'kept')
    return byHand('archive_command, with --replace-archiving: another archive is fed by it now, and would end');
  return changed(facts, { name, value, effect: 'reload', why, found: there || 'empty' });
}

function hasLibrary(facts: SetupFacts): boolean {
  return settingOf(facts, 'archive_library').value !== '';
}

/** While archiving is off the server shows `(disabled)`, whatever stands there; undefined: not to be seen. */
function configuredCommand(facts: SetupFacts): string | undefined {
  const { value } = settingOf(facts, 'archive_command');
  if (value !== '(disabled)') return value;
  return facts.fileSettings === undefined ? undefined : (facts.fileSettings.get('archive_command') ?? '');
}

function mode(facts: SetupFacts): PlannedItem {
  const { value } = settingOf(facts, 'archive_mode');
  const why = 'the server hands nothing over while it is off';
  if (value !== 'off')
    return lasting(facts, { name: 'archive_mode', why, byDefault: 'off', isEnough: (later) => later !== 'off' });
  return changed(facts, { name: 'archive_mode', value: 'on', effect: 'restart', why });
}

/** `every`: a segment that isn't full is closed after it. */
function timeout({ facts, wanted: { log } }: Looked): readonly PlannedItem[] {
  if (log?.everyMs === undefined) return [];
  const seconds = Math.ceil(log.everyMs / 1000);
  const now = Number(settingOf(facts, 'archive_timeout').value);
  if (now > 0 && now <= seconds) return [fine('archive_timeout', `${now} s`)];
  const why = 'without it a quiet server keeps its newest changes to itself until a segment is full';
  const found = now === 0 ? 'off' : `${now} s`;
  return [changed(facts, { name: 'archive_timeout', value: `${seconds}s`, effect: 'reload', why, found })];
}

function recovery({ component, wanted }: Looked): PlannedItem {
  const text = [`restore_command = ${fileValue(restoreCommand(component, wanted))}`];
  const found = 'for a standby or a recovery that you lead yourself';
  return { name: 'restore_command', state: 'fine', found, lines: { where: 'postgresql.conf of that server', text } };
}
