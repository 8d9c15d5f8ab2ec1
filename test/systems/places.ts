import { rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { systemClock } from '../../src/clock/clock.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { createRepository } from '../../src/repository/create.ts';
import { openStorage } from '../../src/storage/open.ts';
import type { Glacier } from '../servers/glacier.ts';
import type { Sshd } from '../servers/sshd.ts';
import { cheapKey } from '../support/engine.ts';
import type { TempDir } from '../support/temp-dir.ts';

/** Where the repositories of an example stand here: buckets of a real S3 server, a real SSH server's folders, and folders. */
export class Places {
  readonly #dir: TempDir;
  readonly #s3: Glacier;
  readonly #sshd: Sshd | undefined;
  /** By name: what a server keeps of it, or the folder itself. */
  readonly #folders = new Map<string, string>();

  constructor(dir: TempDir, s3: Glacier, sshd?: Sshd) {
    this.#dir = dir;
    this.#s3 = s3;
    this.#sshd = sshd;
  }

  address(name: string, url: string): string {
    if (url.startsWith('sftp:') && this.#sshd !== undefined) {
      this.#folders.set(name, join(this.#sshd.folder, name));
      return this.#sshd.address(name);
    }
    if (!url.startsWith('s3:')) {
      const folder = this.#dir.file('places', name);
      this.#folders.set(name, folder);
      return folder;
    }
    // Two providers may have buckets of one name; one server has not.
    const bucket = `${basename(url)}-${name}`;
    this.#folders.set(name, this.#s3.folderOf(bucket));
    return `s3:${this.#s3.endpoint}/${bucket}`;
  }

  /** What all of them are opened with. */
  get options(): ReadonlyMap<string, string> {
    return new Map(this.#sshd === undefined ? [] : [['sftp.args', this.#sshd.args]]);
  }

  /** As a disk that is carried off, or a region that is gone. */
  async carry(name: string, to: 'away' | 'back'): Promise<void> {
    const here = this.#folders.get(name);
    if (here === undefined) throw new Error(`the example has no repository ${name}`);
    const there = `${here}-away`;
    await (to === 'away' ? rename(here, there) : rename(there, here));
  }
}

/** As `init` makes them, but that their key costs no time; all cut files alike. */
export async function createRepositories(
  { repositories }: Policy,
  environment: Readonly<Record<string, string>>,
  common: ReadonlyMap<string, string>,
): Promise<void> {
  let cut: string | undefined;
  for (const { url, lock, credentials } of Object.values(repositories)) {
    const options = new Map([...common, ...(lock === undefined ? [] : [['s3.lock', lock.for.text] as const])]);
    const own = { ...environment, AWS_PROFILE: credentials?.profile ?? 'default' };
    await using made = await createRepository({
      storage: await openStorage(url, { create: true, environment: own, options }),
      clock: systemClock,
      key: cheapKey,
      version: 2,
      ...(cut === undefined ? {} : { chunkerPolynomial: cut }),
    });
    cut ??= made.config.chunkerPolynomial;
  }
}
