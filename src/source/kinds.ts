import * as z from 'zod';

/**
 * The kinds of components that a policy can name: for each the shape of its options. Whoever needs to know what a kind
 * can do asks the source, never the name.
 */
export interface SourceKind {
  /** One line, for the reference of the policy file. */
  readonly what: string;
  readonly schema: z.ZodType;
  readonly built: boolean;
}

const path = z
  .string()
  .regex(/^\//)
  .meta({ title: 'an absolute path', examples: ['/srv/uploads'] });
const pattern = z
  .string()
  .min(1)
  .meta({ title: 'a pattern as of --exclude', examples: ['*.tmp'] });
const line = z
  .string()
  .min(1)
  .meta({ title: 'a command line', examples: ['mydump --all'] });

const files = z
  .strictObject({
    'paths': z
      .array(path)
      .min(1)
      .meta({ title: 'a list of absolute paths', examples: [['/srv/uploads']] }),
    'exclude': z.array(pattern).default([]).meta({ description: 'leave out what matches' }),
    'exclude-caches': z.boolean().default(false).meta({ description: 'leave out folders marked by a CACHEDIR.TAG' }),
    'one-file-system': z.boolean().default(false).meta({ description: 'stay on the file systems of the paths' }),
  })
  .meta({ title: 'files', examples: [{ paths: ['/srv/uploads'] }] });

const command = z
  .strictObject({
    'dump': line.meta({ description: 'prints the backup' }),
    'start': line.optional().meta({ description: 'in a sandbox: starts what load needs, and prints its environment' }),
    'load': line.optional().meta({ description: 'in a sandbox: takes the backup on its standard input' }),
    'check': line.optional().meta({ description: 'in a sandbox: exit code 0 says that what was loaded is right' }),
    'filename': z
      .string()
      .regex(/^[^/\0]{1,255}$/)
      .default('dump')
      .meta({ description: 'the name of the file in the snapshot' }),
    'allow-empty': z.boolean().default(false).meta({ description: 'an empty dump is a success' }),
  })
  .meta({ title: 'commands', examples: [{ dump: 'mydump --all' }] });

const notBuilt = z.unknown();

export const sourceKinds: Readonly<Record<string, SourceKind>> = {
  files: { what: 'files and folders', schema: files, built: true },
  command: { what: 'anything that has a command which dumps it', schema: command, built: true },
  postgres: { what: 'a PostgreSQL server', schema: notBuilt, built: false },
  redis: { what: 'a Redis server', schema: notBuilt, built: false },
  mongodb: { what: 'a MongoDB server', schema: notBuilt, built: false },
  elasticsearch: { what: 'indices of Elasticsearch', schema: notBuilt, built: false },
  kubernetes: { what: 'objects of a cluster', schema: notBuilt, built: false },
  bucket: { what: 'a bucket', schema: notBuilt, built: false },
  git: { what: 'a git repository with its mirrors', schema: notBuilt, built: false },
  images: { what: 'container images', schema: notBuilt, built: false },
};
