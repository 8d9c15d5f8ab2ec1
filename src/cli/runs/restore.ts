import { parsePathPatterns, type PathPatterns } from '../../bytes/path-pattern.ts';
import { rawPathOf } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { XattrSelection } from '../../host/attributes.ts';
import type { Asked } from '../../job/bounded.ts';
import { restoreToFolder } from '../../job/restore.ts';
import { selectAll, type RestoreOptions, type Select } from '../../snapshot/restore.ts';
import { jobContext } from '../access.ts';
import { goesByPolicy } from '../by-policy.ts';
import type { Invocation, Run } from '../command.ts';
import type { restoreOptions } from '../commands/restore.ts';
import type { Environment } from '../arguments.ts';
import type { Context } from '../context.ts';
import { namesMoment } from '../components/moment-words.ts';
import { patternsOf } from '../patterns.ts';
import { rawArgument } from '../raw-argument.ts';
import { restoreView } from '../restore-view.ts';
import { findOptions } from '../selection.ts';

type Values = Invocation<typeof restoreOptions>['values'];

export const run: Run<typeof restoreOptions> = async ({ values, operands }, context) => {
  const { target } = values;
  if (namesMoment(values) && (values.inPlace || values.into !== undefined))
    throw new HoldfastError('unsupported', 'restore: a moment of the log comes back to a folder only, by --target');
  if (values.inPlace) return await inPlace({ values, operands }, context);
  if (values.into !== undefined) return await load({ values, operands }, values.into, context);
  if (target === undefined) throw new HoldfastError('usage', 'restore: where to? Say --target FOLDER');
  if (values.dryRun && values.verify) throw new HoldfastError('usage', '--dry-run and --verify can’t stand together');
  const restore = await optionsOf(values, context.environment);
  if (await goesByPolicy(context)) {
    if (namesMoment(values) || values.at !== undefined) {
      const { restoreMomentTo } = await import('../components/restore-moment.ts');
      const code = await restoreMomentTo({ name: operands[0] ?? '', words: values, target, restore }, context);
      if (code !== 'snapshots alone') return code;
    }
    if (values.tablespace.length > 0) throw tablespacesAlone();
    const { restoreComponentTo } = await import('../components/restore.ts');
    return await restoreComponentTo(
      { name: operands[0] ?? '', at: values.at, method: values.method, target, restore, asked: askedOf(values) },
      context,
    );
  }
  if (values.at !== undefined || namesMoment(values))
    throw new HoldfastError(
      'usage',
      'restore: --at and what else names a moment are for components of a policy; a time can stand in place of a snapshot',
    );
  using view = restoreView(context, restore.mode);
  const outcome = await restoreToFolder(jobContext(context, view.listener), {
    name: operands[0] ?? '',
    find: findOptions(values, context),
    target: rawArgument(target),
    restore,
  });
  view.finish(outcome);
  return outcome.failures === 0 ? 0 : 1;
};

function tablespacesAlone(): HoldfastError {
  return new HoldfastError(
    'unsupported',
    'restore: --tablespace goes with a moment of a log, as --latest or --immediate',
  );
}

async function inPlace({ values, operands }: Invocation<typeof restoreOptions>, context: Context): Promise<number> {
  if (values.target !== undefined)
    throw new HoldfastError('usage', 'restore: --in-place and --target can’t stand together');
  if (!(await goesByPolicy(context)))
    throw new HoldfastError('usage', 'restore: --in-place is for components of a policy');
  const { restoreInPlace } = await import('../components/in-place.ts');
  const mode = values.dryRun ? 'dry-run' : 'execute';
  const safety = values.noSafetyBackup ? 'none' : 'backup first';
  return await restoreInPlace({ name: operands[0] ?? '', at: values.at, mode, safety }, context);
}

async function load(
  { values, operands }: Invocation<typeof restoreOptions>,
  into: string,
  context: Context,
): Promise<number> {
  if (values.target !== undefined)
    throw new HoldfastError('usage', 'restore: --into and --target can’t stand together');
  if (!(await goesByPolicy(context))) throw new HoldfastError('usage', 'restore: --into is for components of a policy');
  const { loadComponentInto } = await import('../components/load.ts');
  return await loadComponentInto({ ...values, name: operands[0] ?? '', into }, context);
}

async function optionsOf(values: Values, environment: Environment): Promise<RestoreOptions> {
  return {
    overwrite: values.overwrite ?? 'always',
    select: await selectOf(values, environment),
    extras: values.delete ? 'delete' : 'keep',
    mode: values.dryRun ? 'dry-run' : 'write',
    holes: values.sparse ? 'sparse' : 'dense',
    verify: values.verify ? 'read-back' : 'no',
    selectXattr: xattrsOf(values),
  };
}

/** The patterns as they were given, for the record. */
function askedOf(values: Values): Asked {
  const { include, iinclude, includeFile, iincludeFile, exclude, iexclude, excludeFile, iexcludeFile } = values;
  const all = { include, iinclude, includeFile, iincludeFile, exclude, iexclude, excludeFile, iexcludeFile };
  return Object.fromEntries(Object.entries(all).filter(([, texts]) => texts.length > 0));
}

/** Includes say what is wanted, excludes what isn't: both at once would say two things. */
async function selectOf(values: Values, environment: Environment): Promise<Select> {
  const included = bothCases(
    await patternsOf(values.include, values.includeFile, '--include-file', environment),
    await patternsOf(values.iinclude, values.iincludeFile, '--iinclude-file', environment),
  );
  const excluded = bothCases(
    await patternsOf(values.exclude, values.excludeFile, '--exclude-file', environment),
    await patternsOf(values.iexclude, values.iexcludeFile, '--iexclude-file', environment),
  );
  if (included.length > 0 && excluded.length > 0) {
    throw new HoldfastError('usage', 'restore: patterns to include and to exclude can’t stand together');
  }
  if (included.length > 0) return including(included);
  return excluded.length > 0 ? excluding(excluded) : selectAll;
}

type Texts = Parameters<typeof parsePathPatterns>[0];

function bothCases(exact: Texts, folded: Texts): readonly PathPatterns[] {
  return [
    ...(exact.length > 0 ? [parsePathPatterns(exact)] : []),
    ...(folded.length > 0 ? [parsePathPatterns(folded, { case: 'ignored' })] : []),
  ];
}

function including(patterns: readonly PathPatterns[]): Select {
  return (location, type) => {
    const results = patterns.map((one) => one.matchesHereOrBelow(location));
    return {
      selected: results.some(({ matched }) => matched),
      childrenMayBe: type === 'directory' && results.some(({ belowMayMatch }) => belowMayMatch),
    };
  };
}

function excluding(patterns: readonly PathPatterns[]): Select {
  return (location, type) => {
    const selected = !patterns.some((one) => one.matches(location));
    return { selected, childrenMayBe: selected && type === 'directory' };
  };
}

function xattrsOf({ includeXattr, excludeXattr }: Values): XattrSelection {
  if (includeXattr.length > 0 && excludeXattr.length > 0) {
    throw new HoldfastError('usage', '--include-xattr and --exclude-xattr can’t stand together');
  }
  if (includeXattr.length + excludeXattr.length === 0) return 'all';
  const wanted = parsePathPatterns(includeXattr.map(rawPathOf));
  const unwanted = parsePathPatterns(excludeXattr.map(rawPathOf));
  if (includeXattr.length > 0) return (name) => wanted.matches(rawPathOf(name));
  return (name) => !unwanted.matches(rawPathOf(name));
}
