import { HoldfastError } from '../../errors/error.ts';

/** The folders that the protocol knows. */
export const folders: readonly string[] = ['data', 'index', 'keys', 'locks', 'snapshots'];

const file = /^(?:data\/([0-9a-f]{2})\/(?=\1)|(?:index|keys|locks|snapshots)\/)[0-9a-f]{64}$/;

/** Where the server has an object: packs without the folder between. 'unsupported' for a key that isn't restic's. */
export function pathOf(key: string): string {
  if (key === 'config') return key;
  if (file.test(key)) return key.replace(/^data\/../, 'data');
  throw new HoldfastError('unsupported', `a REST server holds restic’s own files only, not ${key}`);
}

/** Whether a key can be there at all. */
export function isHeld(key: string): boolean {
  return key === 'config' || file.test(key);
}

/** The key of a name in a folder. */
export function keyIn(folder: string, name: string): string {
  return folder === 'data' ? `data/${name.slice(0, 2)}/${name}` : `${folder}/${name}`;
}
