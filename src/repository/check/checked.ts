import type { BlobId, FileId } from '../../bytes/ids.ts';
import { blobsByPack } from '../by-pack.ts';
import type { BlobType } from '../index.ts';
import type { Repository } from '../repository.ts';
import { Damage, type BlobHandle } from './damage.ts';
import type { CheckSummary, DataOptions, Finding, Report } from './finding.ts';
import type { PackFinding } from './pack-data.ts';
import { readPacks } from './read-packs.ts';
import { PackRecords } from './structure.ts';
import { selectPacks, type Subset } from './subset.ts';

/** What is known so far, and its account. */
export class Checked {
  readonly repository: Repository;
  readonly packs = new PackRecords();
  readonly #damage = new Damage();
  readonly #brokenPacks = new Set<FileId>();
  #errors = 0;
  #suggestRepairIndex = false;
  #suggestPrune = false;

  constructor(repository: Repository) {
    this.repository = repository;
  }

  get summary(): CheckSummary {
    return {
      errors: this.#errors,
      brokenPacks: this.#brokenPacks,
      markedPacks: this.packs.marked,
      suggestRepairIndex: this.#suggestRepairIndex,
      suggestPrune: this.#suggestPrune,
    };
  }

  /** `report`, each finding being counted before. */
  noting(report: Report): Report {
    return (finding) => {
      this.#count(finding);
      report(finding);
    };
  }

  #count({ severity, code, pack }: Finding): void {
    if (severity === 'error') this.#errors += 1;
    if (severity === 'error' && pack !== undefined && code !== 'pack-unreadable') this.#brokenPacks.add(pack);
    this.#suggestRepairIndex ||= code === 'index-unreadable' || code === 'pack-duplicate';
    this.#suggestPrune ||= code === 'pack-mixed' || code === 'pack-unindexed';
  }

  /** Those of packs that are missing, and of packs that end too early. */
  noteAbsentBlobs(): void {
    for (const pack of this.packs.missing()) this.#damage.addPack(pack);
    const resized = new Map(this.packs.resized());
    for (const [pack, blobs] of blobsByPack(this.repository.index, new Set(resized.keys()))) {
      const actualBytes = resized.get(pack) ?? 0;
      for (const { offset, length } of blobs) if (offset + length > actualBytes) this.#damage.addBlob(pack, offset);
    }
  }

  stateOf(type: BlobType, id: BlobId): 'intact' | 'broken' | 'missing' {
    return this.#damage.stateOf(this.repository.index, type, id);
  }

  brokenBlobs(): Iterable<BlobHandle> {
    return this.#damage.brokenBlobs(this.repository.index);
  }

  async readData(subset: Subset, { report, random, beforeReading, ...options }: DataOptions): Promise<void> {
    const selected = new Map(selectPacks([...this.packs.present()], subset, random));
    await beforeReading?.(new Set(selected.keys()));
    const noting = this.noting(report);
    const take = (finding: PackFinding): void => this.#take(finding, noting);
    await readPacks(this.repository, { ...options, selected, take });
  }

  #take({ offset, ...finding }: PackFinding, report: Report): void {
    if (offset !== undefined) this.#damage.addBlob(finding.pack, offset);
    if (finding.code === 'pack-unreadable') this.#damage.addPack(finding.pack);
    report(finding);
  }
}
