import type { RepositoryPolicy } from './policy.ts';

/** Archive classes hold data packs only, and those have to be thawed before they can be read. */
export function isArchived({ 'storage-class': storageClass, media }: RepositoryPolicy): boolean {
  return media === 'archive' || storageClass === 'GLACIER' || storageClass === 'DEEP_ARCHIVE';
}

/** Those who can't hold keys of our own; see docs/ARCHITECTURE.md. */
export function holdsOwnKeys({ url }: RepositoryPolicy): boolean {
  return !url.startsWith('rest:') && !url.startsWith('rclone:');
}
