import * as z from 'zod';
import { openCommand, openFiles, type CommandOptions, type FilesOptions } from './component-source.ts';
import { splitWords } from '../secret/words.ts';
import type { LookedAt, Sighting } from './discover.ts';
import { dumpsProtect, sightedDatabases } from './discover/databases.ts';
import { foldersProtect, sightedFolders } from './discover/folders.ts';
import type { ExternalPlace } from './external.ts';
import { openPostgres } from './postgres/open.ts';
import { postgresOptions } from './postgres/options.ts';
import type { OpenedSource, Surroundings } from './source.ts';

/**
 * The kinds of components that a policy can name: for each the shape of its options. Whoever needs to know what a kind
 * can do asks the source, never the name.
 */
export interface SourceKind {
  /** One line, for the reference of the policy file. */
  readonly what: string;
  /** What it makes of options it takes again: whoever opens a source has them from a policy that was parsed by it. */
  readonly schema: z.ZodType;
  /** How rules can want it backed up; undefined where it makes no difference. */
  readonly methods?: readonly string[];
  /** Of these the ones whose backups a log is replayed from; undefined: all. */
  readonly replayed?: readonly string[];
  /** The places, by the names that rules call them, where components with these options hold points themselves. */
  readonly places?: (options: unknown) => Readonly<Record<string, ExternalPlace>>;
  /** What of its kind stands on a host unasked for; changes nothing. */
  readonly discover?: (at: LookedAt) => readonly Sighting[];
  /** Whether components with these options, taken together, protect what was found, by whichever kind. */
  readonly protects?: (components: readonly unknown[], found: Sighting) => boolean;
  /** How this version follows the log of such a component, by the modes of a policy. */
  readonly logs?: readonly string[];
  /** Undefined where this version has no driver. */
  readonly open?: (options: unknown, surroundings: Surroundings) => OpenedSource;
}

/** By the key that names each in a component of a policy. A value: whoever works with kinds is handed them. */
export type SourceKinds = Readonly<Record<string, SourceKind>>;

const path = z
  .string()
  .regex(/^\//)
  .meta({ title: 'an absolute path', examples: ['/srv/uploads'] });
const pattern = z
  .string()
  .min(1)
  .meta({ title: 'a pattern as of --exclude', examples: ['*.tmp'] });
/** No shell runs it: a pipe would be an argument, and in a shell half a pipe may fail and look like a success. */
export const commandLine = z
  .string()
  .min(1)
  .max(4096)
  .refine(isCommandLine, 'is run without a shell: write a script that fails when a part of it does')
  .meta({ title: 'a command line', examples: ['mydump --all'] });

function isCommandLine(text: string): boolean {
  try {
    const words = splitWords(text);
    return words.length > 0 && !words.some((word) => /^(?:\||\|\||&&?|;|\d?[<>].*)$/.test(word));
  } catch {
    return false;
  }
}

const files = z
  .strictObject({
    'paths': z
      .array(path)
      .min(1)
      .meta({ title: 'a list of absolute paths', examples: [['/srv/uploads']] }),
    'exclude': z.array(pattern).default([]).meta({ description: 'leave out what matches' }),
    'exclude-caches': z.boolean().default(false).meta({ description: 'leave out folders marked by a CACHEDIR.TAG' }),
    'one-file-system': z.boolean().default(false).meta({ description: 'stay on the file systems of the paths' }),
    'allow-empty': z
      .boolean()
      .default(false)
      .meta({ description: 'a path that had files in the last backup may be without any' }),
  })
  .meta({ title: 'files', examples: [{ paths: ['/srv/uploads'] }] });

const command = z
  .strictObject({
    'dump': commandLine.meta({ description: 'prints the backup' }),
    'start': commandLine
      .optional()
      .meta({ description: 'in a sandbox: starts what load needs, and prints lines such as HOLDFAST_ENV PGPORT=5433' }),
    'load': commandLine.optional().meta({
      description: 'in a sandbox: takes the backup on its standard input; an exit code other than 0 accuses it',
    }),
    'check': commandLine
      .optional()
      .meta({ description: 'in a sandbox: exit code 0 says that what was loaded is right' }),
    'filename': z
      .string()
      .regex(/^[^/\0]{1,255}$/)
      .default('dump')
      .meta({ description: 'the name of the file in the snapshot' }),
    'allow-empty': z.boolean().default(false).meta({ description: 'an empty dump is a success' }),
  })
  .meta({ title: 'commands', examples: [{ dump: 'mydump --all' }] });

const notBuilt = z.unknown();

const openFilesOf = (options: unknown, surroundings: Surroundings): OpenedSource =>
  openFiles(files.parse(options) satisfies FilesOptions, surroundings);
const openCommandOf = (options: unknown, surroundings: Surroundings): OpenedSource =>
  openCommand(command.parse(options) satisfies CommandOptions, surroundings);

const openPostgresOf = (options: unknown, surroundings: Surroundings): OpenedSource =>
  openPostgres(postgresOptions.parse(options), surroundings);

/** Those of this version. */
export const sourceKinds: SourceKinds = {
  files: {
    what: 'files and folders',
    schema: files,
    discover: sightedFolders,
    protects: (components, found) =>
      foldersProtect(
        components.flatMap((one) => files.parse(one).paths),
        found,
      ),
    open: openFilesOf,
  },
  command: {
    what: 'anything that has a command which dumps it',
    schema: command,
    discover: sightedDatabases,
    protects: (components, found) =>
      dumpsProtect(
        components.map((one) => command.parse(one).dump),
        found,
      ),
    open: openCommandOf,
  },
  postgres: {
    what: 'a PostgreSQL server',
    schema: postgresOptions,
    methods: ['physical', 'logical'],
    replayed: ['physical'],
    protects: (components, { dumpedBy }) => components.length > 0 && dumpedBy === 'pg_dump',
    logs: ['stream', 'archive'],
    open: openPostgresOf,
  },
  redis: { what: 'a Redis server', schema: notBuilt },
  mongodb: { what: 'a MongoDB server', schema: notBuilt },
  elasticsearch: { what: 'indices of Elasticsearch', schema: notBuilt },
  kubernetes: { what: 'objects of a cluster', schema: notBuilt },
  bucket: { what: 'a bucket', schema: notBuilt },
  git: { what: 'a git repository with its mirrors', schema: notBuilt },
  images: { what: 'container images', schema: notBuilt },
};
