import { mkdir, readdir, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '../../host/lasting.ts';
import { ignoring } from './ignoring.ts';

/**
 * The folders below a root that are known to survive a power cut. That one exists is not enough: whoever made it
 * may not have synced its parent yet, and then the files in it would go with it.
 */
export class Folders {
  readonly #root: string;
  readonly #mode: number;
  readonly #durable = new Set<string>();
  readonly #surveys = new Map<string, Promise<void>>();

  constructor(root: string, mode: number) {
    this.#root = root;
    this.#mode = mode;
    this.#durable.add(root);
  }

  /** Makes `folder` and those above it, up to the root, where missing; all are durable when it resolves. */
  async ensure(folder: string): Promise<void> {
    if (this.#durable.has(folder)) return;
    const parent = dirname(folder);
    await this.ensure(parent);
    await this.#survey(parent);
    if (this.#durable.has(folder)) return;
    await ignoring(['EEXIST'], mkdir(folder, { mode: this.#mode }));
    await syncFolder(parent);
    this.#durable.add(folder);
  }

  /** To be called when a folder turned out to be gone: nothing below the root is taken for granted any more. */
  forget(): void {
    this.#durable.clear();
    this.#surveys.clear();
    this.#durable.add(this.#root);
  }

  /** One sync of a parent makes all the folders durable that were in it before: far cheaper than one sync each. */
  async #survey(parent: string): Promise<void> {
    const running = this.#surveys.get(parent) ?? this.#adoptChildren(parent);
    this.#surveys.set(parent, running);
    try {
      await running;
    } catch (error) {
      this.#surveys.delete(parent);
      throw error;
    }
  }

  async #adoptChildren(parent: string): Promise<void> {
    const children = await readdir(parent, { withFileTypes: true });
    await syncFolder(parent);
    for (const child of children) if (child.isDirectory()) this.#durable.add(join(parent, child.name));
  }
}

/** Removes a folder and those below it, but what holds a file and what is above that. One that is gone is fine. */
export async function removeEmptyFolders(folder: string): Promise<void> {
  await ignoring(['ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST'], removeFolder(folder));
}

async function removeFolder(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries) if (entry.isDirectory()) await removeEmptyFolders(join(folder, entry.name));
  await rmdir(folder);
}
