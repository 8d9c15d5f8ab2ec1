import * as z from 'zod';
import type { SourceKinds } from '../../source/kinds.ts';
import { componentOf } from './component.ts';
import { repository } from './repository.ts';
import { objective } from './tier.ts';
import { name, size, span, text, zone } from './values.ts';

const reservedKeys = {
  hosts: 'machines and how they are reached',
  applications: 'components with an order of restore and one common moment',
  objectives: 'objectives by scenario and severity',
  runbooks: 'templates of recovery steps',
  drills: 'runbooks in isolation, against the clock',
  people: 'who may do what, and who is called',
  contacts: 'addresses and numbers for the night',
  access: 'who may reach backups',
  limits: 'of rate, load and space',
  notify: 'who is told of what',
} as const;

/** Understood, and without effect in this version: `config check` says so of each. */
const reserved: Readonly<Record<never, z.ZodType>> = Object.fromEntries(
  Object.entries(reservedKeys).map(([key, description]) => [
    key,
    z.unknown().optional().meta({ description, notBuilt: true }),
  ]),
);

const sandbox = z
  .strictObject({
    memory: size.optional().meta({ description: 'half of the host’s where it isn’t said', examples: ['4GiB'] }),
    disk: size.optional().meta({ description: 'half of what is free where it isn’t said', examples: ['100GiB'] }),
    time: span.optional().meta({ description: 'for each command; six hours where it isn’t said', examples: ['1h'] }),
    visible: z
      .array(
        z
          .string()
          .regex(/^\//)
          .meta({ title: 'an absolute path', examples: ['/tmp/holdfast'] }),
      )
      .optional()
      .meta({
        description: 'folders with what commands run, seen read-only though they lie below /tmp, /var/tmp or /run',
        examples: [['/tmp/holdfast']],
      }),
  })
  .meta({ title: 'limits of a sandbox, and what it shows', examples: [{ memory: '4GiB', time: '1h' }] });

/** The form of a policy whose components are of these kinds. */
export const policyOf = (kinds: SourceKinds) =>
  z
    .strictObject({
      version: z.literal(1).meta({ description: 'of this form', examples: [1] }),
      timezone: zone.default('UTC').meta({ description: 'of every time without one' }),
      host: text.optional().meta({ description: 'the name that snapshots carry; this machine’s where none is given' }),
      site: text.optional().meta({ description: 'where production stands, so that offsite has a meaning' }),
      strict: z.boolean().default(false).meta({ description: 'what is warned of is refused' }),
      repositories: z
        .record(name, repository)
        .meta({ title: 'repositories by name', description: 'where backups stand' }),
      tiers: z
        .record(name, objective)
        .default({})
        .meta({ title: 'objectives by name', description: 'what is wanted, by tier' }),
      components: z
        .record(name, componentOf(kinds))
        .meta({ title: 'components by name', description: 'what is protected' }),
      signers: z
        .array(
          z
            .string()
            .regex(/^[A-Za-z0-9+/]{43}=$/)
            .meta({ title: 'an ed25519 public key in base64' }),
        )
        .optional()
        .meta({ description: 'whose signatures under records are believed' }),
      sandbox: sandbox
        .optional()
        .meta({ description: 'how much a verification may take of this host, and what it sees of it' }),
      ...reserved,
    })
    .meta({ title: 'a policy' });

/** Not part of the effective policy: what components are put together from. */
export const fragments = {
  defaults: 'what holds for every component that doesn’t say otherwise',
  templates: 'parts of components by name; a component takes one by `template: NAME`',
} as const;
