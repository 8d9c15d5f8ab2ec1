import * as z from 'zod';
import { secret, span, text } from './values.ts';

const credentials = z
  .strictObject({
    'profile': text.optional().meta({ description: 'a profile of the shared AWS files' }),
    'key-id': secret.optional().meta({ description: 'the access key’s ID' }),
    'secret-key': secret.optional().meta({ description: 'the access key’s secret' }),
    'session-token': secret.optional().meta({ description: 'the session’s token, where there is one' }),
    'user': secret.optional().meta({ description: 'user of a REST server' }),
    'password': secret.optional().meta({ description: 'password of that user' }),
  })
  .meta({ title: 'references to credentials', examples: [{ profile: 'writer' }], secretPlace: true });

const prefix = /^(?:(?:rest|s3|sftp):)?(?:https?(?:\+unix)?:)?(?:\/\/)?/;

/** A login, also where a slash in it makes a wrong address of it; a query; options of rclone's that are keys. */
function holdsPassword(url: string): boolean {
  if (url.startsWith('/')) return false;
  if (url.startsWith('rclone:')) return /,[a-z_]*(?:pass|secret|key|token)[a-z_]*=/i.test(url);
  if (/^sftp:(?!\/\/)/.test(url)) return /^sftp:[^/@:]*:[^/]*@[^/]*:/.test(url);
  const [authority = ''] = url
    .replace(prefix, '')
    .replace(/\[[^\]]*\]/, '')
    .split('/');
  const isWrongPort = url.includes('//') && /:\d*[^\d]/.test(authority);
  return /:.*@/.test(authority) || isWrongPort || /\?.*=/.test(url);
}

export const repository = z
  .strictObject({
    'url': z
      .string()
      .min(1)
      .refine((url) => !holdsPassword(url), 'a password in a URL belongs into credentials')
      .meta({ title: 'an address as for -r', examples: ['s3:https://s3.example.com/team', '/backups/main'] }),
    'password': secret,
    'credentials': credentials
      .optional()
      .meta({ description: 'whose keys write; the environment’s where none are named' }),
    'delete-credentials': credentials.optional().meta({ description: 'whose keys remove' }),
    'site': text.optional().meta({ description: 'where it stands: a room, a city, a region' }),
    'media': z
      .enum(['disk', 'object', 'archive', 'removable'])
      .default('disk')
      .meta({ description: 'what it stands on; removable: may be out of reach for days' }),
    'lock': z
      .strictObject({
        mode: z
          .enum(['compliance', 'governance'])
          .default('compliance')
          .meta({ description: 'governance: an administrator can pass it by' }),
        for: span.meta({ description: 'how long what is stored can’t be removed' }),
      })
      .optional()
      .meta({
        title: 'a lock',
        description: 'Object Lock of a bucket',
        examples: [{ mode: 'compliance', for: '30d' }],
      }),
    'storage-class': z
      .string()
      .regex(/^[A-Z][A-Z0-9_]*$/)
      .optional()
      .meta({ title: 'a storage class in capital letters', examples: ['STANDARD_IA', 'DEEP_ARCHIVE'] }),
    'options': z
      .record(
        z.string().regex(/^[a-z0-9]+\.[a-z0-9-]+$/),
        z.union([z.string(), z.number(), z.boolean()]).transform(String),
      )
      .default({})
      .meta({ description: 'options of the storage, as for -o', examples: [{ 's3.region': 'eu-central-1' }] }),
  })
  .meta({ title: 'a repository' });
