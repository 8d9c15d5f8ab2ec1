/**
 * A Linux ACL (the value of `system.posix_acl_access`) in the long text form of POSIX.1e, with numeric IDs: the
 * names of another machine mean nothing here. Undefined when it isn't one.
 */
export function aclText(acl: Uint8Array): string | undefined {
  const view = new DataView(acl.buffer, acl.byteOffset, acl.byteLength);
  const isAcl =
    acl.length >= headerBytes && (acl.length - headerBytes) % entryBytes === 0 && view.getUint32(0, true) === 2;
  if (!isAcl) return undefined;
  let text = '';
  for (let at = headerBytes; at < acl.length; at += entryBytes) {
    const tag = tags[view.getUint16(at, true)];
    if (tag === undefined) return undefined;
    const id = tag.named ? view.getUint32(at + 4, true).toString() : '';
    text += `${tag.word}:${id}:${permissions(view.getUint16(at + 2, true))}\n`;
  }
  return text;
}

const headerBytes = 4;
const entryBytes = 8;

const tags: Readonly<Record<number, { readonly word: string; readonly named: boolean }>> = {
  0x01: { word: 'user', named: false },
  0x02: { word: 'user', named: true },
  0x04: { word: 'group', named: false },
  0x08: { word: 'group', named: true },
  0x10: { word: 'mask', named: false },
  0x20: { word: 'other', named: false },
};

function permissions(bits: number): string {
  return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${bits & 1 ? 'x' : '-'}`;
}
