import type { FileId } from '../../bytes/ids.ts';
import { hasCode } from '../../errors/error.ts';
import type { IndexFile, IndexedPack } from '../index-file.ts';
import { keyOf } from '../layout.ts';
import { packOverheadBytes } from '../pack.ts';
import type { Repository } from '../repository.ts';
import { packSignature } from '../rewrite-index.ts';
import type { Report } from './finding.ts';

/** What all index files together say of one pack. */
interface PackRecord {
  /** The size that its blobs and header must have. */
  readonly impliedBytes: number;
  /** Tells whether two index files say the same. */
  readonly signature: string;
  readonly contents: 'data' | 'tree' | 'mixed';
  readonly indexes: FileId[];
  contradicted: boolean;
  /** As the storage says; undefined while it has not. */
  actualBytes?: number;
}

/** Gathers what index files say of packs, and then what the storage says. */
export class PackRecords {
  readonly #records = new Map<FileId, PackRecord>();
  /** Packs that a prune marked for deletion: it removes them, they are no finding. */
  readonly marked = new Set<FileId>();
  /** Packs that no index names, with their sizes; known once the storage was listed. */
  readonly unindexed = new Map<FileId, number>();

  addIndex(index: FileId, { packs, packsToDelete }: IndexFile): void {
    for (const pack of packs) this.#addPack(index, pack);
    for (const { id } of packsToDelete) this.marked.add(id);
  }

  #addPack(index: FileId, pack: IndexedPack): void {
    const signature = packSignature(pack);
    const known = this.#records.get(pack.id);
    if (known) {
      known.indexes.push(index);
      known.contradicted ||= known.signature !== signature;
      return;
    }
    const { blobs } = pack;
    const impliedBytes = blobs.reduce((sum, { length }) => sum + length, packOverheadBytes(blobs));
    const contents = contentsOf(pack);
    this.#records.set(pack.id, { impliedBytes, signature, contents, indexes: [index], contradicted: false });
  }

  /** What is wrong with the index files taken together. */
  reportIndex(report: Report): void {
    for (const [pack, { indexes, contradicted, contents }] of this.#records) {
      const names = [...new Set(indexes)].join(', ');
      if (contradicted) {
        report({
          severity: 'error',
          code: 'index-contradicts',
          pack,
          message: `pack ${pack} has different blobs in the indexes ${names}`,
        });
      } else if (indexes.length > 1) {
        report({
          severity: 'hint',
          code: 'pack-duplicate',
          pack,
          message: `pack ${pack} is named several times, by the indexes ${names}`,
        });
      }
      if (contents === 'mixed') {
        report({ severity: 'hint', code: 'pack-mixed', pack, message: `pack ${pack} holds both trees and data` });
      }
    }
  }

  /** Compares with what the storage holds; a pack that the listing leaves out is asked for by its name. */
  async reportStored(repository: Repository, report: Report): Promise<void> {
    for await (const { id, sizeBytes } of repository.list('data')) {
      const record = this.#records.get(id);
      if (record) record.actualBytes = sizeBytes;
      else if (!this.marked.has(id)) {
        this.unindexed.set(id, sizeBytes);
        report({ severity: 'hint', code: 'pack-unindexed', pack: id, message: `pack ${id} is named by no index` });
      }
    }
    for (const [pack, record] of this.#records) {
      if (record.actualBytes === undefined) await confirmMissing(repository, pack, record, report);
      const { actualBytes, impliedBytes } = record;
      if (actualBytes === undefined || actualBytes === impliedBytes || record.contradicted) continue;
      const message = `pack ${pack} has ${actualBytes} bytes where its index implies ${impliedBytes}`;
      report({ severity: 'error', code: 'pack-size', pack, message });
    }
  }

  /** Packs that are there, with their actual sizes. */
  *present(): Generator<readonly [FileId, number]> {
    for (const [pack, { actualBytes }] of this.#records) if (actualBytes !== undefined) yield [pack, actualBytes];
  }

  *missing(): Generator<FileId> {
    for (const [pack, { actualBytes }] of this.#records) if (actualBytes === undefined) yield pack;
  }

  /** Packs that are named more than once, and whether the index files say different things of them. */
  *repeated(): Generator<{ readonly pack: FileId; readonly contradicted: boolean }> {
    for (const [pack, { indexes, contradicted }] of this.#records) if (indexes.length > 1) yield { pack, contradicted };
  }

  /** Packs that are there, but not of the size implied. */
  *resized(): Generator<readonly [FileId, number]> {
    for (const [pack, { actualBytes, impliedBytes }] of this.#records) {
      if (actualBytes !== undefined && actualBytes !== impliedBytes) yield [pack, actualBytes];
    }
  }
}

function contentsOf({ blobs }: IndexedPack): PackRecord['contents'] {
  const types = new Set(blobs.map(({ type }) => type));
  if (types.size > 1) return 'mixed';
  return types.has('tree') ? 'tree' : 'data';
}

async function confirmMissing(repository: Repository, pack: FileId, record: PackRecord, report: Report): Promise<void> {
  try {
    record.actualBytes = (await repository.storage.stat(keyOf('data', pack))).sizeBytes;
    report({
      severity: 'hint',
      code: 'pack-unlisted',
      pack,
      message: `pack ${pack} is there, but the storage does not list it`,
    });
  } catch (error) {
    if (!hasCode(error, 'storage-not-found')) throw error;
    report({ severity: 'error', code: 'pack-missing', pack, message: `pack ${pack} is missing` });
  }
}
