import { displayPath, type RawPath } from '../../bytes/ids.ts';
import type { Note } from '../../events/events.ts';
import type { ArchiveInput } from '../archive.ts';
import { Counter, type Added, type Change } from './counts.ts';

/** Tells of one item, under the name 'archived'. */
export interface ArchivedNote extends Note {
  readonly name: 'archived';
  readonly data: {
    readonly [name: string]: unknown;
    /** From the snapshot's root, folders with a '/' behind. */
    readonly item: string;
    readonly kind: 'file' | 'folder';
    readonly change: Change;
    readonly seconds: number;
    readonly added: Added;
  };
}

/** Of what is at work so many are told. */
const atWorkShown = 2;

/** What is done between two progress events. */
const progressEvery = { items: 50, bytes: 4 * 2 ** 20 };

/** The phase of these events. */
export const archivePhase = 'backing up';

/** Counts what happens to items, and tells the listener. */
export class Report {
  readonly counter = new Counter();
  readonly #input: ArchiveInput;
  /** Large files, and as many others as are told. */
  readonly #atWork = new Set<RawPath>();
  #unread = 0;
  #items = 0;
  #toldBytes = 0;

  constructor(input: ArchiveInput) {
    this.#input = input;
  }

  get unread(): number {
    return this.#unread;
  }

  started(path: RawPath, sizeBytes: number): void {
    if (this.#atWork.size < atWorkShown || sizeBytes >= progressEvery.bytes) this.#atWork.add(path);
    if (sizeBytes >= progressEvery.bytes) this.tellProgress();
  }

  file(path: RawPath, change: Change, sizeBytes: number, added: Added, startedMs: number): void {
    this.#atWork.delete(path);
    this.counter.file(change, sizeBytes, added);
    if (this.#input.notes !== 'none') this.#note('file', `/${displayPath(path)}`, change, added, startedMs);
    this.#progress();
  }

  folder(path: RawPath, change: Change, added: Added, startedMs: number): void {
    if (path === '') {
      this.counter.root(added);
      return;
    }
    this.counter.folder(change, added);
    if (this.#input.notes !== 'none') this.#note('folder', `/${displayPath(path)}/`, change, added, startedMs);
    this.#progress();
  }

  leftOut(path: RawPath, message: string): void {
    this.#atWork.delete(path);
    this.#unread += 1;
    this.warn(path, message);
  }

  warn(path: RawPath, message: string): void {
    this.#input.listener({ kind: 'warning', during: 'archive', item: `/${displayPath(path)}`, message });
  }

  #note(kind: 'file' | 'folder', item: string, change: Change, added: Added, startedMs: number): void {
    const seconds = (this.#input.clock.monotonicMs() - startedMs) / 1000;
    const note: ArchivedNote = { kind: 'note', name: 'archived', data: { item, kind, change, seconds, added } };
    this.#input.listener(note);
  }

  #progress(): void {
    this.#items += 1;
    const bytes = this.counter.bytes - this.#toldBytes;
    if (this.#items % progressEvery.items === 0 || bytes >= progressEvery.bytes) this.tellProgress();
  }

  /** Tells where the work stands just now. */
  tellProgress(): void {
    const current = [...this.#atWork.values().take(atWorkShown)].map((path) => `/${displayPath(path)}`);
    const { bytes, files } = this.counter;
    this.#toldBytes = bytes;
    this.#input.listener({
      kind: 'progress',
      phase: archivePhase,
      doneBytes: bytes,
      doneItems: files,
      current,
    });
  }
}
