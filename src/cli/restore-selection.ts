import { parsePathPatterns, type PathPatterns } from '../bytes/path-pattern.ts';
import { rawPathOf } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { XattrSelection } from '../host/attributes.ts';
import type { Asked } from '../job/bounded.ts';
import { selectAll, type RestoreOptions, type Select } from '../snapshot/restore.ts';
import type { Environment } from './arguments.ts';
import { patternsOf } from './patterns.ts';
import type { RestoreValues } from './restore-way.ts';

/** What of a snapshot is restored, and how it meets what is there. */
export async function restoreWith(values: RestoreValues, environment: Environment): Promise<RestoreOptions> {
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
export function patternsAsked(values: RestoreValues): Asked {
  const { include, iinclude, includeFile, iincludeFile, exclude, iexclude, excludeFile, iexcludeFile } = values;
  const all = { include, iinclude, includeFile, iincludeFile, exclude, iexclude, excludeFile, iexcludeFile };
  return Object.fromEntries(Object.entries(all).filter(([, texts]) => texts.length > 0));
}

/** Includes say what is wanted, excludes what isn't: both at once would say two things. */
async function selectOf(values: RestoreValues, environment: Environment): Promise<Select> {
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

function xattrsOf({ includeXattr, excludeXattr }: RestoreValues): XattrSelection {
  if (includeXattr.length > 0 && excludeXattr.length > 0) {
    throw new HoldfastError('usage', '--include-xattr and --exclude-xattr can’t stand together');
  }
  if (includeXattr.length + excludeXattr.length === 0) return 'all';
  const wanted = parsePathPatterns(includeXattr.map(rawPathOf));
  const unwanted = parsePathPatterns(excludeXattr.map(rawPathOf));
  if (includeXattr.length > 0) return (name) => wanted.matches(rawPathOf(name));
  return (name) => !unwanted.matches(rawPathOf(name));
}
