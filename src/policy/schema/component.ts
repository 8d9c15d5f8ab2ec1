import * as z from 'zod';
import type { ExternalPlace } from '../../source/external.ts';
import type { SourceKinds } from '../../source/kinds.ts';
import { keep } from './keep.ts';
import { exactlyOne, name, size, span, text } from './values.ts';
import { restoring } from './restoring.ts';
import { verification } from './verification.ts';
import { needsOneWhen, scheduleOf, whenKeys } from './when.ts';

const rule = z
  .strictObject({
    method: name.optional().meta({ description: 'how: what the kind of component offers', examples: ['physical'] }),
    ...whenKeys,
    to: z
      .record(name, z.strictObject({ keep }))
      .refine((places) => Object.keys(places).length > 0, 'names no repository')
      .meta({
        title: 'repositories, each with what it keeps',
        description: 'the first takes the backup, the others copy it',
        examples: [{ local: { keep: { daily: 7 } } }],
      }),
  })
  .superRefine(needsOneWhen)
  .transform(({ at, every, cron, on, ...rest }) => ({ ...rest, when: scheduleOf({ at, every, cron, on }) }))
  .meta({ title: 'a rule', examples: [{ every: '1h', to: { local: { keep: { daily: 7 } } } }] });

const logPlace = z.strictObject({
  window: span.meta({ description: 'so long any moment can be brought back' }),
  required: z
    .boolean()
    .default(true)
    .meta({ description: 'nothing counts as safe before this place has it; false: it is filled when it can be' }),
});

const log = z
  .strictObject({
    'mode': z.enum(['stream', 'archive']).meta({ description: 'as it is written, or segment by segment' }),
    'every': span.optional().meta({ description: 'of an archive: a segment is closed at least so often' }),
    'to': z
      .record(name, logPlace)
      .refine((places) => Object.keys(places).length > 0, 'names no repository')
      .refine((places) => Object.values(places).some(({ required }) => required), 'needs a place that is required')
      .meta({ title: 'repositories, each with how long it keeps the log' }),
    'push-queue-max': size.optional().meta({
      description:
        'of an archive: when more than this waits, it is dropped, as a named gap behind which a base backup is made, so that production goes on; never without it',
    }),
    'slot-max-lag': size.optional().meta({
      description: 'of a stream: when the server keeps more than this for it, the slot is given up, as a named gap',
    }),
  })
  .meta({ title: 'a log', examples: [{ mode: 'stream', to: { local: { window: '24h' } } }] });

/** Typed as no keys at all: what a kind's options are is the source's business. */
function keysOfKinds(kinds: SourceKinds): Readonly<Record<never, z.ZodType>> {
  const entries = Object.entries(kinds);
  return Object.fromEntries(
    entries.map(([kind, { schema, what }]) => [kind, schema.optional().meta({ description: what })]),
  );
}

const reserved: Readonly<Record<never, z.ZodType>> = Object.fromEntries(
  ['on', 'application', 'objectives'].map((key) => [key, z.unknown().optional().meta({ notBuilt: true })]),
);

/** A component's own keys; those of a kind of source come from the source itself. */
const ownKeys = {
  template: name.optional().meta({ description: 'which of `templates` it is put together from' }),
  tier: name.optional().meta({ description: 'which objectives hold' }),
  site: text.optional().meta({ description: 'where production stands' }),
  backups: z
    .record(name, rule)
    .default({})
    .meta({ title: 'rules by name', description: 'how, when, to where, kept how long' }),
  log: log.optional().meta({ description: 'the transaction log between backups' }),
  verify: z.array(verification).default([]).meta({ description: 'proofs that are made again and again' }),
  restore: restoring
    .optional()
    .meta({ description: 'what is stopped, started and asked when it is restored in place' }),
  ...reserved,
};

/** The form of a component of one of these kinds. */
export const componentOf = (kinds: SourceKinds) =>
  z
    .strictObject({ ...keysOfKinds(kinds), ...ownKeys })
    .superRefine((given, context) => exactlyOne(given, Object.keys(kinds), context))
    .transform(({ template: _taken, tier, site, backups, log: stream, verify, restore, ...rest }) => ({
      tier,
      site,
      backups,
      log: stream,
      verify,
      restore,
      source: sourceOf(rest, kinds),
    }))
    .meta({ title: 'a component' });

function sourceOf(
  given: Readonly<Record<string, unknown>>,
  kinds: SourceKinds,
): {
  readonly kind: string;
  readonly options: unknown;
  readonly places: Readonly<Record<string, ExternalPlace>>;
  /** undefined: the kind asks for none. */
  readonly methods?: readonly string[] | undefined;
  /** Those from whose backups a log is replayed; undefined: all. */
  readonly replayed?: readonly string[] | undefined;
} {
  const [kind = '', options] = Object.entries(given).find(([key]) => Object.hasOwn(kinds, key)) ?? [];
  const { methods, replayed } = kinds[kind] ?? {};
  return { kind, options, places: kinds[kind]?.places?.(options) ?? {}, methods, replayed };
}
