import { isBlobId, type BlobId } from '../../bytes/ids.ts';

const idLength = 64;

/**
 * Where a node ends whose content stands at `start` of its tree's text: a list of blob IDs as restic writes it, and
 * nothing behind. Undefined when it reads in any other way, or when `isThere` denies a blob.
 */
export function contentEnd(text: string, start: number, isThere: (id: BlobId) => boolean): number | undefined {
  if (text.startsWith('[]}', start)) return start + 3;
  for (let at = start; text.startsWith(at === start ? '["' : ',"', at); at += idLength + 3) {
    const id = text.slice(at + 2, at + 2 + idLength);
    if (!isBlobId(id) || !isThere(id) || text[at + 2 + idLength] !== '"') return undefined;
    if (text.startsWith(']}', at + idLength + 3)) return at + idLength + 5;
  }
  return undefined;
}
