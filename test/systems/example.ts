import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isPair, isScalar, parseDocument, visit } from 'yaml';

/** What of an example a test has to say otherwise: it runs on one host, with none of the team's own servers. */
export interface Adaptation {
  /** Of a repository, by its name and its address in the example. */
  readonly address: (name: string, url: string) => string;
  /** A file or folder of the team, where it lies here. */
  readonly path: (path: string) => string;
  /** A command line that asks something live. */
  readonly command: (line: string) => string;
}

export function exampleText(name: string): string {
  return readFileSync(new URL(`../../examples/${name}.yaml`, import.meta.url), 'utf8');
}

/** The text of `examples/<name>.yaml` with other addresses, paths and commands; all else is word for word the example's. */
export function adaptedExample(name: string, { address, path, command }: Adaptation): string {
  const text = exampleText(name);
  const document = parseDocument(text);
  const replaced = new Set<unknown>();
  visit(document, {
    Scalar: (at, scalar, ancestors) => {
      if (at === 'key' || typeof scalar.value !== 'string') return;
      const [key, parent] = keysAbove(ancestors);
      const { value } = scalar;
      if (key === 'url') scalar.value = address(parent, value);
      // What a sandbox runs (start, load, check) is tried as it stands.
      else if (key === 'dump') scalar.value = command(value);
      else if (pathKeys.includes(key) && value.startsWith('/')) scalar.value = path(value);
      if (scalar.value !== value) replaced.add(scalar.value);
    },
  });
  const adapted = document.toString({ lineWidth: 0 });
  assertOnlyReplaced(parseDocument(text).toJS(), parseDocument(adapted).toJS(), replaced);
  return adapted;
}

const pathKeys: readonly string[] = ['file', 'paths', 'exclude'];

/** The key that a value stands under, and that of the mapping around it. */
function keysAbove(ancestors: readonly unknown[]): readonly [string, string] {
  const keys = ancestors.flatMap((one) => (isPair(one) && isScalar(one.key) ? [String(one.key.value)] : []));
  return [keys.at(-1) ?? '', keys.at(-2) ?? ''];
}

/** So that what is tested is the example, and no policy that somebody copied from it once. */
function assertOnlyReplaced(before: unknown, after: unknown, replaced: ReadonlySet<unknown>): void {
  if (replaced.has(after)) return;
  if (!isObject(before) || !isObject(after)) return assert.equal(after, before);
  assert.deepEqual(Object.keys(after), Object.keys(before));
  for (const [key, value] of Object.entries(after)) assertOnlyReplaced(before[key], value, replaced);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
