import type * as z from 'zod';
import { nearest } from '../../bytes/nearest.ts';
import { placeAt, type Located } from '../document/located.ts';
import type { Path } from '../path.ts';
import type { Problem } from '../problem.ts';
import { keysOf, schemaAt } from './at.ts';
import { exampleOf, metaOf } from './meta.ts';

type Issue = z.core.$ZodIssue;

/** What the schema has against a file, each with its place, the nearest right word and an example. No value is quoted. */
export function findingsOf(schema: z.core.$ZodType, root: Located, issues: readonly Issue[]): readonly Problem[] {
  return issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? unknownKeys(schema, root, issue) : [finding(schema, root, issue)],
  );
}

/** What doesn't may be something else that came to stand there, such as a secret, and is not repeated. */
const looksLikeKey = /^[a-z]+(?:-[a-z]+)*$/;

function unknownKeys(
  schema: z.core.$ZodType,
  root: Located,
  issue: Issue & { readonly code: 'unrecognized_keys' },
): readonly Problem[] {
  const path = pathOf(issue);
  const around = schemaAt(schema, path);
  const known = around === undefined ? [] : Object.keys(keysOf(around));
  const isSecretPlace = around !== undefined && metaOf(around).secretPlace === true;
  return issue.keys.map((key) => ({
    severity: 'error',
    ...(isSecretPlace || !looksLikeKey.test(key)
      ? { place: { ...placeAt(root, path, key), path }, message: 'has an unknown key' }
      : { place: placeAt(root, path, key), message: 'unknown key' }),
    nearest: nearest(key, known),
    example: around && exampleOf(around),
  }));
}

function finding(schema: z.core.$ZodType, root: Located, issue: Issue): Problem {
  const path = pathOf(issue);
  const at = schemaAt(schema, path);
  const missing = issue.code === 'invalid_type' && issue.input === undefined;
  const place = placeAt(root, path);
  const base = { severity: 'error', example: at && exampleOf(at) } as const;
  if (missing) return { ...base, place: { ...place, path }, message: `is missing: needs ${titleOf(at)}` };
  if (issue.code === 'invalid_key')
    return {
      ...base,
      place: placeAt(root, path.slice(0, -1), String(path.at(-1))),
      message: 'is not a name: small letters, digits and hyphens, at most 63',
    };
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    const guess = typeof issue.input === 'string' ? nearest(issue.input, values) : undefined;
    return { ...base, place, message: `needs one of ${values.join(', ')}`, nearest: guess };
  }
  const own = issue.code === 'custom' && issue.message !== 'Invalid input';
  return { ...base, place, message: own ? issue.message : `needs ${titleOf(at)}` };
}

function titleOf(schema: z.core.$ZodType | undefined): string {
  return (schema && metaOf(schema).title) ?? 'another value';
}

function pathOf({ path }: Issue): Path {
  return path.map((step) => (typeof step === 'number' ? step : String(step)));
}
