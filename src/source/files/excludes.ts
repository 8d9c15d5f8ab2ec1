import { closeSync, constants, lstatSync, openSync, readSync, type BigIntStats } from 'node:fs';
import { displayPath, rawPathOf, systemPath, type RawPath } from '../../bytes/ids.ts';
import { parsePathPatterns, type PathPatterns } from '../../bytes/path-pattern.ts';
import { absolutePath, folderOf, joinPath } from '../../bytes/unix-path.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Listener } from '../../events/events.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';

/** What is left out of a walk, as restic's options of these names. Targets that the user named are never left out. */
export interface ExcludeOptions {
  /** --exclude, --exclude-file. */
  readonly patterns: readonly RawPath[];
  /** --iexclude, --iexclude-file: letter case is ignored. */
  readonly caseInsensitivePatterns: readonly RawPath[];
  /** --exclude-if-present: `name` or `name:start of its content`; leaves all but the file itself out of its folder. */
  readonly ifPresent: readonly string[];
  /** --exclude-larger-than; folders have no size. */
  readonly largerThanBytes?: number;
  /** --one-file-system: a folder that another file system is mounted on is kept, empty. */
  readonly fileSystems: 'all' | 'those-of-targets';
  /** Absolute; left out with all they contain (our own cache). */
  readonly folders: readonly RawPath[];
}

/** The --exclude-if-present of --exclude-caches. */
export const cacheTag = 'CACHEDIR.TAG:Signature: 8a477f597d28d172789f06886806bc55';

/** Predicates over absolute paths. */
export interface Excludes {
  /** By the path alone, before the system is asked about it. */
  byPath(path: RawPath): boolean;
  /** By what it is; `path` itself may be a folder, then all below it is out as well. */
  byStat(path: RawPath, stat: BigIntStats): boolean;
}

/** `targets` as the user named them, relative ones from `folder`. */
export function excludesOf(
  options: ExcludeOptions,
  targets: readonly RawPath[],
  folder: RawPath,
  listener: Listener,
): Excludes {
  const byPath = [...patternTests(options), ...options.folders.map(isWithin)];
  const byStat = [
    ...(options.fileSystems === 'all' ? [] : [otherFileSystemTest(targets.map((path) => absolutePath(path, folder)))]),
    ...(options.largerThanBytes === undefined ? [] : [sizeTest(options.largerThanBytes)]),
    ...options.ifPresent.map((text) => tagTest(text, listener)),
  ];
  return {
    byPath: (path) => byPath.some((test) => test(path)),
    byStat: (path, stat) => byStat.some((test) => test(path, stat)),
  };
}

type PathTest = (path: RawPath) => boolean;
type StatTest = (path: RawPath, stat: BigIntStats) => boolean;

function patternTests(options: ExcludeOptions): readonly PathTest[] {
  const exact = parsePathPatterns(options.patterns);
  const folded = parsePathPatterns(options.caseInsensitivePatterns, { case: 'ignored' });
  const test =
    (patterns: PathPatterns): PathTest =>
    (path) =>
      patterns.matches(path);
  return [
    ...(options.patterns.length > 0 ? [test(exact)] : []),
    ...(options.caseInsensitivePatterns.length > 0 ? [test(folded)] : []),
  ];
}

function isWithin(folder: RawPath): PathTest {
  return (path) => path === folder || path.startsWith(`${folder}/`);
}

function sizeTest(largest: number): StatTest {
  return (_path, stat) => !stat.isDirectory() && stat.size > largest;
}

/** What lies on another device than the nearest target above it. */
function otherFileSystemTest(targets: readonly RawPath[]): StatTest {
  const devices = new Map(targets.map((path) => [path, lstatSync(systemPath(path), { bigint: true }).dev]));
  const allowed = (path: RawPath, device: bigint): boolean => {
    for (let at = path; ; at = folderOf(at)) {
      const known = devices.get(at);
      if (known !== undefined) return known === device;
      if (at === folderOf(at)) throw new HoldfastError('internal', `outside all targets: ${displayPath(path)}`);
    }
  };
  return (path, stat) => {
    if (allowed(path, stat.dev)) return false;
    if (!stat.isDirectory()) return true;
    const parent = lstatSync(systemPath(folderOf(path)), { bigint: true, throwIfNoEntry: false });
    return parent === undefined || !allowed(folderOf(path), parent.dev);
  };
}

/** A walk asks for all children of a folder in a row: the last folder's answer is enough to remember. */
function tagTest(text: string, listener: Listener): StatTest {
  const colon = text.indexOf(':');
  const name = rawPathOf(colon === -1 ? text : text.slice(0, colon));
  const header = Buffer.from(colon === -1 ? '' : text.slice(colon + 1));
  if (name === '') throw new HoldfastError('usage', '--exclude-if-present needs the name of a file');
  const known = new Map<RawPath, boolean>();
  return (path) => {
    const folder = folderOf(path);
    if (path === joinPath(folder, name)) return false;
    const answer = known.get(folder) ?? isTagged(joinPath(folder, name), header, listener);
    if (known.size > 4096) known.clear();
    known.set(folder, answer);
    return answer;
  };
}

/** A tag that can't be read or has other content doesn't count, and is told of. */
function isTagged(tag: RawPath, header: Buffer, listener: Listener): boolean {
  try {
    if (lstatSync(systemPath(tag), { throwIfNoEntry: false }) === undefined) return false;
    if (header.length === 0 || startOf(tag, header.length).equals(header)) return true;
    tellIgnored(tag, 'its content is not that of a tag', listener);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    tellIgnored(tag, reasonOf(error), listener);
  }
  return false;
}

const { O_RDONLY, O_NONBLOCK } = constants; // a fifo would wait for its writer

function startOf(path: RawPath, length: number): Buffer {
  const fd = openSync(systemPath(path), O_RDONLY | O_NONBLOCK);
  try {
    const start = Buffer.alloc(length);
    return start.subarray(0, readSync(fd, start, 0, length, 0));
  } finally {
    closeSync(fd);
  }
}

/** Note 'exclude-tag-ignored': {path, reason}. */
function tellIgnored(tag: RawPath, reason: string, listener: Listener): void {
  listener({ kind: 'note', name: 'exclude-tag-ignored', data: { path: displayPath(tag), reason } });
}
