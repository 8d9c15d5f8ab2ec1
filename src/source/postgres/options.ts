import * as z from 'zod';
import { secret } from '../secret-reference.ts';
import { logicalOptions } from './logical/options.ts';

/** `postgres:` of a policy. */
export const postgresOptions = z
  .strictObject({
    'url': secret.meta({
      description:
        'where the address is kept, as libpq takes it: postgres://user:password@host:5432/postgres?sslmode=verify-full. The role needs REPLICATION, and pg_read_all_settings with pg_read_server_files for a configuration that stands elsewhere',
      examples: [{ env: 'DATABASE_URL' }],
    }),
    'reading': z.enum(['protocol', 'host']).default('protocol').meta({
      description:
        'how a physical backup gets at the files: the server sends them, or, on its own host, the data directory is read in parallel and what has not changed is left unread',
    }),
    'primary': secret.optional().meta({
      description:
        'where the address of the primary is kept, where a standby is read on its host: the backup starts and stops there; without it on the standby',
      examples: [{ env: 'PRIMARY_URL' }],
    }),
    'incremental': z.enum(['auto', 'never']).default('auto').meta({
      description:
        'from 17 on, with summarize_wal: the server sends what changed since the backup before, which is merged into a whole one; never: it sends everything',
    }),
    'checkpoint': z
      .enum(['fast', 'spread'])
      .default('fast')
      .meta({ description: 'what a backup begins with: at once, or spread as the server spreads its own' }),
    'max-rate': z
      .int()
      .min(1)
      .max(1024)
      .optional()
      .meta({
        title: 'MiB a second, at most 1024',
        description: 'how fast the server sends, in MiB a second',
        examples: [100],
      }),
    'heartbeat': z
      .string()
      .min(1)
      .max(200)
      .optional()
      .meta({
        title: 'a table as schema.table',
        description:
          'a table in which each backup writes when it began, and a stream of the log when it was, made where it isn’t there; a verification and `status` tell by it how old the data is',
        examples: ['public.holdfast_heartbeat'],
      }),
    'heartbeat-every': z
      .int()
      .min(1)
      .max(3600)
      .default(10)
      .meta({
        title: 'seconds, up to an hour',
        description: 'how often a stream of the log writes it',
        examples: [10],
      }),
    'counts': z
      .strictObject({
        tables: z
          .array(z.string().min(1).max(200))
          .min(1)
          .optional()
          .meta({
            title: 'tables as schema.table',
            description: 'which; without it all of every database, the smallest first',
            examples: [['public.orders']],
          }),
        for: z
          .int()
          .min(1)
          .max(86_400)
          .default(30)
          .meta({ title: 'seconds, up to a day', description: 'how many seconds counting may take', examples: [30] }),
      })
      .optional()
      .meta({
        description:
          'has a backup record how many rows tables have at its end, which a check `counts` of a verification compares; the role must be let to read them',
        examples: [{ for: 30 }],
      }),
    'programs': z
      .array(
        z
          .string()
          .regex(/^\//)
          .meta({ title: 'an absolute path', examples: ['/usr/lib/postgresql/17/bin'] }),
      )
      .default([])
      .meta({
        description:
          'folders with programs of PostgreSQL, for verifications and logical backups, before those where they usually stand',
      }),
    'logical': logicalOptions
      .prefault({})
      .meta({ description: 'what rules with `method: logical` dump, and how', examples: [{ databases: ['shop'] }] }),
  })
  .refine(({ reading, 'max-rate': rate }) => reading === 'protocol' || rate === undefined, {
    path: ['max-rate'],
    error: 'says how fast the server sends: with `reading: host` it sends nothing',
  })
  .refine(({ reading, primary }) => reading === 'host' || primary === undefined, {
    path: ['primary'],
    error: 'is asked only with `reading: host`: over the protocol a standby is enough',
  })
  .meta({ title: 'PostgreSQL', examples: [{ url: { env: 'DATABASE_URL' } }] });

export type PostgresOptions = z.output<typeof postgresOptions>;
