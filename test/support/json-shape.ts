import assert from 'node:assert/strict';

/** Every value that a text holds: one document, or a line each; lines that are no JSON are left out. */
export function jsonValues(text: string): readonly unknown[] {
  return text.split('\n').flatMap((line) => {
    if (!/^[[{]/.test(line)) return [];
    const value: unknown = JSON.parse(line);
    return [value];
  });
}

/** The types that stand at each place of some values: `.summary.files_new` → {number}. Elements of a list are one place. */
export type Shape = ReadonlyMap<string, ReadonlySet<string>>;

export function shapeOf(values: readonly unknown[]): Shape {
  const shape = new Map<string, Set<string>>();
  const visit = (place: string, value: unknown): void => {
    shape.set(place, (shape.get(place) ?? new Set()).add(typeOf(value)));
    if (Array.isArray(value)) for (const item of value) visit(`${place}[]`, item);
    else if (typeof value === 'object' && value !== null)
      for (const [name, member] of Object.entries(value)) visit(`${place}.${name}`, member);
  };
  for (const value of values) visit('', value);
  return shape;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** Fails unless everything that restic prints is in ours, with the same types. */
export function assertShapeWithin(theirs: Shape, ours: Shape, label: string): void {
  const wrong = [...theirs].flatMap(([place, types]) => {
    const found = ours.get(place);
    if (found === undefined) return [`${place}: missing`];
    const others = [...types].filter((type) => !found.has(type));
    return others.length === 0 ? [] : [`${place}: ${[...found].join('|')}, not ${others.join('|')}`];
  });
  assert.deepEqual(wrong, [], label);
}

/** Fails unless `ours` holds all of `theirs`: members may be added to objects, nothing else may differ. */
export function assertHolds(ours: unknown, theirs: unknown, place: string): void {
  if (Array.isArray(theirs)) {
    assert.ok(Array.isArray(ours), `${place} is a list`);
    assert.equal(ours.length, theirs.length, `length of ${place}`);
    for (const [at, item] of theirs.entries()) assertHolds(ours[at], item, `${place}[${at}]`);
  } else if (isObject(theirs)) {
    assert.ok(isObject(ours), `${place} is an object`);
    for (const [name, item] of Object.entries(theirs)) assertHolds(ours[name], item, `${place}.${name}`);
  } else assert.deepEqual(ours, theirs, place);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Messages by what they are: `summary`, `verbose_status new`. */
export function messagesByKind(values: readonly unknown[]): ReadonlyMap<string, readonly unknown[]> {
  return Map.groupBy(values, (value) => {
    if (!isObject(value)) return 'document';
    return [value['message_type'], value['action']].filter((part) => typeof part === 'string').join(' ');
  });
}
