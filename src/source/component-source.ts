import { readdirSync } from 'node:fs';
import { displayPath, rawPathOf, type RawPath } from '../bytes/ids.ts';
import { joinPath } from '../bytes/unix-path.ts';
import type { Listener } from '../events/events.ts';
import { isMountPoint } from '../host/mount-point.ts';
import { splitWords } from '../secret/words.ts';
import { rehearsalOf } from './command/rehearse.ts';
import { cacheTag, filesSource } from './files.ts';
import { notEmptied } from './files/emptied.ts';
import { gatherTargets } from './lists.ts';
import { named } from './named.ts';
import { lackingPaths, lackingProgram, type Lacking } from './probe.ts';
import type { OpenedSource, Source, Surroundings } from './source.ts';
import { commandSource } from './stream.ts';

/** `files:` of a policy. */
export interface FilesOptions {
  readonly 'paths': readonly string[];
  readonly 'exclude': readonly string[];
  readonly 'exclude-caches': boolean;
  readonly 'one-file-system': boolean;
  readonly 'allow-empty': boolean;
}

/** A component none of whose paths is there, or has files any more, was not backed up: an unmounted disk looks like this. */
export function openFiles(options: FilesOptions, { component, clock, leftOut }: Surroundings): OpenedSource {
  const paths = options.paths.map(rawPathOf);
  const excludes = {
    patterns: options.exclude.map(rawPathOf),
    caseInsensitivePatterns: [],
    ifPresent: options['exclude-caches'] ? [cacheTag] : [],
    fileSystems: options['one-file-system'] ? 'those-of-targets' : 'all',
    folders: [...leftOut, ...paths.flatMap(plansInside)],
  } as const;
  const sourceFor = (listener: Listener, named: readonly RawPath[]): Source => {
    const targets = gatherTargets({ patterns: [], verbatim: [], raw: [], named }, listener);
    return filesSource({ targets, excludes, atime: 'as-mtime', clock });
  };
  const source: Source = {
    async *entries(walk) {
      try {
        const wanted = options['allow-empty'] ? paths : await notEmptied(paths, walk);
        yield* sourceFor(walk.listener, wanted).entries(walk);
      } catch (error) {
        throw named(component, error, walk.signal);
      }
    },
    measure: async (walk) => (await sourceFor(walk.listener, paths).measure?.(walk)) ?? { files: 0, bytes: 0 },
  };
  const probe = async (): Promise<readonly Lacking[]> => lackingPaths(paths);
  return { source, paths, excludes: options.exclude, inPlace: paths, probe };
}

/** Where a restore in place has put what it restores, or keeps what was there: inside of a mount point alone. */
function plansInside(path: RawPath): readonly RawPath[] {
  const folder = displayPath(path);
  if (!isMountPoint(folder)) return [];
  const own = readdirSync(folder).filter((name) => /^\.holdfast-[0-9a-f]{12}-\d+$/.test(name));
  return own.map((name) => joinPath(path, name));
}

/** `command:` of a policy. */
export interface CommandOptions {
  readonly 'dump': string;
  readonly 'filename': string;
  readonly 'allow-empty': boolean;
  readonly 'start'?: string | undefined;
  readonly 'load'?: string | undefined;
  readonly 'check'?: string | undefined;
}

/** What the dump command prints, as one file in a folder of the component's name. */
export function openCommand(options: CommandOptions, { component, clock }: Surroundings): OpenedSource {
  const [program = '', ...args] = splitWords(options.dump);
  const path = joinPath(`/${component}`, rawPathOf(options.filename));
  const dump = commandSource({
    component,
    path: rawPathOf(path),
    timeNs: clock.nowNs(),
    program,
    args,
    clock,
    ...(options['allow-empty'] ? { empty: 'allowed' } : {}),
  });
  const { start, load, check } = options;
  const empty = options['allow-empty'] ? 'allowed' : 'never';
  const rehearsal = rehearsalOf({ start, load, check, dump: path.slice(1), empty });
  const probe = async (): Promise<readonly Lacking[]> => lackingProgram(program);
  return { source: judged(dump, program), paths: [rawPathOf(path)], excludes: [], rehearsal, probe };
}

/** A program that ends well and speaks of an error all the same has made a dump that somebody should look at. */
function judged(source: Source, program: string): Source {
  return {
    entries: ({ listener, signal }) => source.entries({ signal, listener: hearing(listener, program) }),
  };
}

const alarming = /\b(?:error|fatal|panic|traceback|denied)\b/i;

function hearing(listener: Listener, program: string): Listener {
  return (event) => {
    listener(event);
    if (event.kind !== 'note' || event.name !== 'command-said') return;
    const line = String(event.data['line']);
    if (alarming.test(line)) listener({ kind: 'warning', during: 'scan', item: program, message: `it wrote: ${line}` });
  };
}
