import { fieldsOf, parseFields, type Fields } from '../bytes/fields.ts';
import type { Clock } from '../clock/clock.ts';
import { hasCode } from '../errors/error.ts';
import { openCacheFolder } from './cache-folder.ts';

/** What this host remembers of a repository beside its cache. Losing it costs requests, nothing else. */
export interface Remembered<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
  save(): Promise<void>;
}

export interface MemoryPlace {
  /** Of all caches; nothing is kept without one. */
  readonly folder: string | undefined;
  readonly repositoryId: string;
  readonly file: string;
  readonly clock: Clock;
}

export interface MemoryForm<T> {
  readonly encode: (value: T) => Fields;
  /** Undefined for what can't be understood: it is forgotten. */
  readonly decode: (fields: Fields) => T | undefined;
}

export async function remembered<T>(
  { folder, repositoryId, file, clock }: MemoryPlace,
  form: MemoryForm<T>,
): Promise<Remembered<T>> {
  const known = new Map<string, T>();
  const memory = { get: (key: string) => known.get(key), set: (key: string, value: T) => void known.set(key, value) };
  if (folder === undefined) return { ...memory, save: async () => {} };
  await using cache = await openCacheFolder(folder, repositoryId, clock);
  const bytes = await cache.get(file).catch((error: unknown) => {
    if (hasCode(error, 'storage-not-found')) return Buffer.from('{}');
    throw error;
  });
  fill(known, bytes, file, form);
  const save = async (): Promise<void> => {
    await using again = await openCacheFolder(folder, repositoryId, clock);
    const entries = [...known].map(([key, value]) => [key, form.encode(value)]);
    await again.put(file, [Buffer.from(JSON.stringify(Object.fromEntries(entries)))]);
  };
  return { ...memory, save };
}

function fill<T>(known: Map<string, T>, bytes: Uint8Array, file: string, { decode }: MemoryForm<T>): void {
  try {
    for (const [key, fields] of Object.entries(parseFields(bytes, file))) {
      const value = decode(fieldsOf(fields, file));
      if (value !== undefined) known.set(key, value);
    }
  } catch (error) {
    if (!hasCode(error, 'damaged')) throw error;
  }
}
