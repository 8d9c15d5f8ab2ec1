import { parseFileId, type FileId } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';

const whole = ['config', 'masterkey'] as const;
const snapshots = ['snapshot', 'tree'] as const;
const objects = ['index', 'key', 'lock', 'pack', 'blob'] as const;

/** What `cat` prints. */
export type Printed =
  | { readonly kind: (typeof whole)[number] }
  | { readonly kind: (typeof snapshots)[number]; readonly name: string }
  | { readonly kind: (typeof objects)[number]; readonly id: string };

export function printedOf([kind = '', name]: readonly string[]): Printed {
  const all = whole.find((one) => one === kind);
  if (all !== undefined) return { kind: all };
  const [snapshot, object] = [snapshots.find((one) => one === kind), objects.find((one) => one === kind)];
  if (snapshot === undefined && object === undefined)
    throw new HoldfastError(
      'usage',
      `cat: ${JSON.stringify(kind)} is none of config, masterkey, snapshot, index, key, lock, pack, blob, tree`,
    );
  if (name === undefined) throw new HoldfastError('usage', `cat ${kind}: an ID is missing`);
  return object === undefined ? { kind: snapshot ?? 'snapshot', name } : { kind: object, id: name };
}

const listed = ['blobs', 'packs', 'index', 'snapshots', 'keys', 'locks'] as const;

/** What `list` prints. */
export function listedOf([what = '']: readonly string[]): (typeof listed)[number] {
  const kind = listed.find((one) => one === what);
  if (kind !== undefined) return kind;
  throw new HoldfastError('usage', `list: ${JSON.stringify(what)} is none of ${listed.join(', ')}`);
}

/** Of `repair packs`. */
export function packIds(operands: readonly string[]): ReadonlySet<FileId> {
  return new Set(
    operands.map((text) => {
      if (/^[0-9a-f]{64}$/.test(text)) return parseFileId(text);
      throw new HoldfastError('usage', `not a pack's ID of 64 hex digits: ${JSON.stringify(text)}`);
    }),
  );
}
