import { HoldfastError } from '../errors/error.ts';

const segment = /^(?=.{1,255}$)@?[A-Za-z0-9._-]+$/;
const maxKeyBytes = 1024;

/** Whether `name` can be one segment of a key. */
export function isSegment(name: string): boolean {
  return segment.test(name) && name !== '.' && name !== '..';
}

/** Throws unless `key` is one that every storage can hold and that leads nowhere else. */
export function checkKey(key: string): void {
  if (key.length <= maxKeyBytes && key.split('/').every(isSegment)) return;
  throw new HoldfastError('internal', `not a storage key: ${JSON.stringify(key.slice(0, 80))}`);
}

/** Throws unless `prefix` is '' or a key followed by '/'. */
export function checkPrefix(prefix: string): void {
  if (prefix === '') return;
  if (!prefix.endsWith('/'))
    throw new HoldfastError('internal', `a prefix ends with '/': ${JSON.stringify(prefix.slice(0, 80))}`);
  checkKey(prefix.slice(0, -1));
}
