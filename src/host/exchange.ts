import { checked, libcFunction } from './libc.ts';
import { errorCode } from './system-error.ts';

const renameat2 = libcFunction('renameat2', {
  return: 'i32',
  arguments: ['i32', 'buffer', 'i32', 'buffer', 'u32'],
});
const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;

/** Two names of one file system change places at once: nobody sees one without the other. False where that can't be. */
export function exchangeNames(first: string, second: string): boolean {
  if (renameat2 === undefined || process.platform !== 'linux') return false;
  const result = renameat2(AT_FDCWD, text(first), AT_FDCWD, text(second), RENAME_EXCHANGE);
  try {
    checked('renameat2', result);
    return true;
  } catch (error) {
    if (['EINVAL', 'ENOSYS', 'EOPNOTSUPP'].includes(errorCode(error) ?? '')) return false;
    throw error;
  }
}

function text(path: string): Buffer {
  return Buffer.from(`${path}\0`);
}
