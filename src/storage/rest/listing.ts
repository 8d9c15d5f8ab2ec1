import { HoldfastError } from '../../errors/error.ts';

/** A name in a folder of the server; v1 of the protocol tells no sizes. */
export interface ListedName {
  readonly name: string;
  readonly sizeBytes: number | undefined;
}

export const acceptV2 = 'application/vnd.x.restic.rest.v2';

/** Names of restic's files; a server may list others, such as uploads under way. */
const wanted = /^[0-9a-f]{64}$/;

/** What a server lists, each name once. Anything that isn't a list is 'storage-failed'. */
export function parseListing(text: string, contentType: string | undefined): readonly ListedName[] {
  const items = itemsOf(text);
  const parse = contentType === acceptV2 ? sized : named;
  const found = new Map<string, ListedName>();
  for (const item of items) {
    const one = parse(item);
    if (one === undefined) throw notAList();
    if (wanted.test(one.name)) found.set(one.name, one);
  }
  return [...found.values()];
}

function itemsOf(text: string): readonly unknown[] {
  let items: unknown;
  try {
    items = JSON.parse(text);
  } catch (cause) {
    throw notAList(cause);
  }
  if (items === null) return []; // Go's empty list
  if (!Array.isArray(items)) throw notAList();
  return items;
}

function sized(item: unknown): ListedName | undefined {
  if (typeof item !== 'object' || item === null || !('name' in item) || !('size' in item)) return undefined;
  const { name, size } = item;
  if (typeof name !== 'string' || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined;
  return { name, sizeBytes: size };
}

function named(item: unknown): ListedName | undefined {
  return typeof item === 'string' ? { name: item, sizeBytes: undefined } : undefined;
}

function notAList(cause?: unknown): HoldfastError {
  return new HoldfastError('storage-failed', 'the server sends something else than a list of names and sizes', {
    cause,
  });
}
