/**
 * The repository as a library, `holdfast/repository`: create or open one on a storage, and read and write it by the
 * contract of `Repository`.
 */
export { createRepository, type CreateOptions } from './create.ts';
export { openRepository, type OpenOptions } from './open.ts';
export type { BlobReader, BlobWriter, Repository } from './repository.ts';
export { openStorage } from '../storage/open.ts';
