import { HoldfastError } from '../errors/error.ts';
import type { restoreOptions } from './commands/restore.ts';
import { namesMoment } from './checks/moment-words.ts';
import { flagName, type Values } from './option.ts';

export type RestoreValues = Values<typeof restoreOptions>;

/** Where a restore leads: parts of a database beside what lives, a new database, over what lives, a follower, a folder. */
export type RestoreWay =
  | { readonly kind: 'parts' | 'database'; readonly into: string }
  | { readonly kind: 'in place' }
  | { readonly kind: 'standby' | 'folder'; readonly target: string };

type Kind = RestoreWay['kind'];

/**
 * 'usage' where words contradict each other, one is missing, or a flag would be taken in silence; 'unsupported' where there
 * is no such way. `given`: the keys that were given as flags.
 */
export function restoreWay(values: RestoreValues, given: readonly string[]): RestoreWay {
  const way = wayNamed(values);
  const refusal = [...contradictions(values), ...momentRefusals(values, way.kind)].find((one) => one !== false);
  if (refusal !== undefined) throw refusal;
  const stray = given.find((key) => waysOf.get(key)?.includes(way.kind) === false);
  if (stray !== undefined) throw usage(`${flagName(stray)} means nothing ${beside[way.kind]}`);
  return way;
}

function wayNamed({ table, schema, inPlace, into, asStandby, target }: RestoreValues): RestoreWay {
  if (table.length + schema.length > 0) {
    if (into === undefined) throw usage('--table and --schema go into a database, by --into ADDRESS');
    return { kind: 'parts', into };
  }
  if (inPlace) return { kind: 'in place' };
  if (into !== undefined) return { kind: 'database', into };
  if (target !== undefined) return { kind: asStandby ? 'standby' : 'folder', target };
  throw usage(asStandby ? '--as-standby goes with --target' : 'where to? Say --target FOLDER');
}

const beside: Readonly<Record<Kind, string>> = {
  'parts': 'with --table or --schema',
  'database': 'with --into',
  'in place': 'with --in-place',
  'standby': 'with --as-standby',
  'folder': 'with --target alone',
};

const toFiles = ['folder'] as const;
const toDatabases = ['parts', 'database'] as const;
const toMoments = ['parts', 'in place', 'folder'] as const;

/** Where a flag means something; one that isn't listed does everywhere, or is refused by what it contradicts. */
const waysOf: ReadonlyMap<string, readonly Kind[]> = new Map<string, readonly Kind[]>([
  ['exclusive', toMoments],
  ['timeline', toMoments],
  ['tablespace', ['standby', 'folder']],
  ['noSafetyBackup', ['in place']],
  ['asStandby', ['standby']],
  ['method', [...toDatabases, 'folder']],
  ...(['database', 'noOwner', 'noPrivileges'] as const).map((key) => [key, toDatabases] as const),
  ...(['jobs', 'switch'] as const).map((key) => [key, ['database']] as const),
  ...(['include', 'iinclude', 'includeFile', 'iincludeFile'] as const).map((key) => [key, toFiles] as const),
  ...(['exclude', 'iexclude', 'excludeFile', 'iexcludeFile'] as const).map((key) => [key, toFiles] as const),
  ...(['excludeXattr', 'includeXattr', 'delete', 'overwrite'] as const).map((key) => [key, toFiles] as const),
  ...(['sparse', 'verify'] as const).map((key) => [key, ['standby', 'folder']] as const),
]);

type Refusals = readonly (HoldfastError | false)[];

function usage(said: string, next?: string): HoldfastError {
  return new HoldfastError('usage', `restore: ${said}`, next === undefined ? {} : { next });
}

function contradictions(values: RestoreValues): Refusals {
  const { as, table, schema, into, target, delta, withoutUndo, inPlace, dryRun, verify } = values;
  const takesParts = table.length + schema.length > 0;
  const aims = [into !== undefined && '--into', target !== undefined && '--target', inPlace && '--in-place'];
  const [one, other] = aims.filter((aim) => aim !== false);
  return [
    takesParts && other !== undefined && usage('--table and --schema go into a database, by --into ADDRESS alone'),
    other !== undefined && usage(`${one} and ${other} can’t stand together`),
    as !== undefined && !takesParts && usage('--as goes with --table or --schema'),
    delta && !inPlace && usage('--delta goes with --in-place'),
    withoutUndo && !delta && usage('--without-undo goes with --delta'),
    dryRun && verify && usage('--dry-run and --verify can’t stand together'),
    delta && !withoutUndo && !dryRun && keepsNothing(),
  ];
}

function keepsNothing(): HoldfastError {
  return usage(
    '--delta keeps nothing of what is there: no undo brings it back',
    'Look at the plan by --dry-run, and say --without-undo if that is what you want. Nothing was changed.',
  );
}

function momentRefusals(values: RestoreValues, kind: Kind): Refusals {
  const { at, lsn, xid, latest, exclusive, timeline, method, tablespace } = values;
  const isNamed = at !== undefined || namesMoment(values);
  const hasEdge = at !== undefined || lsn !== undefined || xid !== undefined;
  return [
    kind === 'database' && namesMoment(values) && wholeAlone(),
    kind === 'folder' &&
      method !== undefined &&
      (namesMoment(values) || exclusive || timeline !== undefined || tablespace.length > 0) &&
      usage('--method is for a backup as it was stored: a moment is brought back by its log'),
    kind === 'folder' &&
      tablespace.length > 0 &&
      !isNamed &&
      usage('--tablespace goes with a moment of a log, as --latest or --immediate'),
    kind === 'standby' &&
      isNamed &&
      !latest &&
      usage('a standby follows up to now: --latest alone goes with --as-standby'),
    exclusive && !hasEdge && usage('--exclusive goes with --at, --lsn or --xid'),
    timeline !== undefined && !isNamed && kind !== 'in place' && usage('--timeline goes with a moment, as --latest'),
  ];
}

function wholeAlone(): HoldfastError {
  return new HoldfastError(
    'unsupported',
    'restore: a moment of the log comes back to a folder, in place, or by --table and --schema',
  );
}
