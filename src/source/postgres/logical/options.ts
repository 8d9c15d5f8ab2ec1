import * as z from 'zod';

const name = z.string().min(1).max(253).meta({ title: 'a name' });

/** Where pg_dump is run; one of three. */
const client = z
  .strictObject({
    folder: z
      .string()
      .regex(/^\//)
      .optional()
      .meta({
        title: 'an absolute path',
        description: 'a folder of this host, before those where they usually stand',
        examples: ['/usr/lib/postgresql/17/bin'],
      }),
    container: name
      .regex(/^[A-Za-z0-9]/)
      .optional()
      .meta({ description: 'a container in which `docker exec` runs them', examples: ['shop-db-1'] }),
    pod: name
      .regex(/^[a-z0-9]/)
      .optional()
      .meta({ description: 'a pod in which `kubectl exec` runs them', examples: ['shop-db-0'] }),
    namespace: name
      .regex(/^[a-z0-9]/)
      .optional()
      .meta({ description: 'of the pod', examples: ['shop'] }),
  })
  .superRefine((given, context) => {
    const there = (['folder', 'container', 'pod'] as const).filter((key) => given[key] !== undefined);
    if (there.length > 1)
      context.addIssue({
        code: 'custom',
        message: `${there.join(' and ')} can’t stand together`,
        path: there.slice(1, 2),
      });
    if (given.namespace !== undefined && given.pod === undefined)
      context.addIssue({ code: 'custom', message: 'a namespace needs a pod', path: ['namespace'] });
  })
  .meta({ title: 'where the clients are', examples: [{ container: 'shop-db-1' }] });

/** `logical:` of `postgres:`, for rules whose method is logical. */
export const logicalOptions = z
  .strictObject({
    'databases': z
      .union([z.literal('all'), z.array(z.string().min(1).max(63)).min(1).meta({ title: 'a list of databases' })])
      .default('all')
      .meta({
        title: 'all, or a list of databases',
        description: 'all: new ones too, without templates and without those that let nobody in',
        examples: [['shop', 'billing']],
      }),
    'format': z
      .enum(['custom', 'directory'])
      .default('custom')
      .meta({ description: 'custom is streamed; directory is dumped by several jobs at once, through a spool' }),
    'jobs': z
      .int()
      .min(1)
      .max(64)
      .default(4)
      .meta({ title: 'a number from 1 to 64', description: 'how many dump a database in the format directory' }),
    'spool': z
      .string()
      .regex(/^\//)
      .optional()
      .meta({
        title: 'an absolute path',
        description: 'where the format directory is spooled; the folder for temporary files where it isn’t said',
        examples: ['/var/spool/holdfast'],
      }),
    'spool-limit': z
      .string()
      .regex(/^[1-9]\d{0,5}(?:MiB|GiB|TiB)$/)
      .optional()
      .meta({
        title: 'a size with its unit (MiB, GiB, TiB)',
        description: 'how large the spool may grow; nine tenths of what is free where it isn’t said',
        examples: ['100GiB'],
      }),
    'globals': z
      .boolean()
      .default(true)
      .meta({ description: 'roles with their passwords, tablespaces, and settings of roles' }),
    'owner': z.boolean().default(true).meta({ description: 'a load gives things the owners that they had' }),
    'privileges': z.boolean().default(true).meta({ description: 'a load grants what was granted' }),
    'client': client.optional().meta({ description: 'where pg_dump is run; on this host where it isn’t said' }),
  })
  .superRefine(({ format, client: where }, context) => {
    if (format === 'directory' && (where?.container ?? where?.pod) !== undefined)
      context.addIssue({
        code: 'custom',
        message: 'the format directory needs clients on this host: a container has no spool of ours',
        path: ['format'],
      });
  })
  .meta({ title: 'logical backups', examples: [{ databases: ['shop'] }] });

const units: Readonly<Record<string, number>> = { MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** Undefined where the policy doesn't say. */
export function spoolLimitBytes({ 'spool-limit': limit }: LogicalOptions): number | undefined {
  return limit === undefined ? undefined : Number.parseInt(limit, 10) * (units[limit.slice(-3)] ?? 0);
}

export type LogicalOptions = z.output<typeof logicalOptions>;
export type ClientPlace = z.output<typeof client>;
