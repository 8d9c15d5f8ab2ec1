import * as z from 'zod';

const text = z.string().min(1).max(4096).meta({ title: 'a text' });
const path = z
  .string()
  .regex(/^\//)
  .meta({ title: 'an absolute path', examples: ['/srv/uploads'] });

const variable = text
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
  .meta({ title: 'the name of an environment variable', examples: ['RESTIC_PASSWORD'] });
const credential = text
  .regex(/^[A-Za-z0-9_.@:-]+$/)
  .refine((name) => !/^\.+$/.test(name))
  .meta({ title: 'the name of a credential', examples: ['backup-password'] });

const sources = { env: variable, file: path, command: text, credential };

/** Where a secret is, as a policy says it; never the secret. */
export const secret = z
  .strictObject({
    env: sources.env.optional().meta({ description: 'name of an environment variable' }),
    file: sources.file.optional().meta({ description: 'path of a file that holds it' }),
    command: sources.command.optional().meta({ description: 'a command that prints it' }),
    credential: sources.credential.optional().meta({ description: 'name of a credential that systemd hands over' }),
  })
  .superRefine((given, context) => exactlyOne(given, Object.keys(sources), context))
  .meta({
    title: 'a reference to a secret (env, file, command or credential), never the secret itself',
    examples: [{ file: '/etc/holdfast/password' }],
    secretPlace: true,
  });

/** One of the four. */
export type PolicySecret = z.output<typeof secret>;

type Refining = z.core.$RefinementCtx;

/** Of several keys just one may stand there. */
export function exactlyOne(given: object, keys: readonly string[], context: Refining): void {
  const there = keys.filter((key) => key in given);
  if (there.length === 1) return;
  const all = keys.join(', ');
  const message =
    there.length === 0 ? `needs one of ${all}` : `${there.join(' and ')} can’t stand together: one of ${all}`;
  context.addIssue({ code: 'custom', message, path: there.slice(1, 2) });
}
