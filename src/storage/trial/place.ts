import { createHash } from 'node:crypto';

/** Where one check or measurement may store what it tries, so that it meets nobody else's objects. */
export interface Place {
  /** Ends with '/'; a list of it holds what was stored here, and maybe at other places. */
  readonly prefix: string;
  /** Where these bytes may be stored. The name tells apart what may have the same bytes, where names are free. */
  readonly key: (name: string, bytes: Uint8Array) => string;
  /** Whether it may have been stored here. */
  readonly holds: (key: string) => boolean;
}

/** Names are free below a prefix of the check's own. */
export function ownPlace(prefix: string): Place {
  return { prefix, key: (name) => prefix + name, holds: (key) => key.startsWith(prefix) };
}

/** Names are what restic's are, for a storage that holds no others: packs, each named by its content's hash. */
export function packPlace(): Place {
  const given = new Set<string>();
  const key = (_: string, bytes: Uint8Array): string => {
    const id = createHash('sha256').update(bytes).digest('hex');
    const path = `data/${id.slice(0, 2)}/${id}`;
    given.add(path);
    return path;
  };
  return { prefix: 'data/', key, holds: (path) => given.has(path) };
}
