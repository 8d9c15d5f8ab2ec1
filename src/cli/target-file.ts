import { open, type FileHandle } from 'node:fs/promises';
import { HoldfastError } from '../errors/error.ts';
import { reasonOf } from '../host/system-error.ts';

/**
 * A file that a command writes for the user. It is opened with the first bytes, so that what fails before leaves the
 * file that stands there.
 */
export class TargetFile implements AsyncDisposable {
  readonly #path: string;
  #file: FileHandle | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#told(async () => {
      this.#file ??= await open(this.#path, 'w');
      await this.#file.writeFile(bytes);
    });
  }

  /** On return a file is on the disk; a pipe or a device has nothing to wait for. */
  async finish(): Promise<void> {
    await this.write(new Uint8Array());
    await this.#told(async () => {
      if ((await this.#file?.stat())?.isFile() === true) await this.#file?.sync();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close();
  }

  async #told(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (cause) {
      const next = 'Choose another --target, or give it what it lacks. The repository is unharmed.';
      throw new HoldfastError('refused', `${this.#path} can't be written: ${reasonOf(cause)}`, { cause, next });
    }
  }
}
