import { createRepository } from '../repository/create.ts';
import type { KeyOwner } from '../repository/passwords.ts';
import type { RepositoryConfig } from '../repository/repository.ts';
import type { Secret } from '../secret/secret.ts';
import { openStorage } from '../storage/open.ts';
import type { StorageSettings } from '../storage/settings.ts';
import type { Clock } from '../clock/clock.ts';

export interface InitOptions {
  readonly address: string;
  readonly settings: StorageSettings;
  readonly password: Secret;
  readonly owner: KeyOwner;
  readonly version: RepositoryConfig['version'];
  readonly clock: Clock;
}

export interface InitOutcome {
  /** Of the repository, 64 hex digits. */
  readonly id: string;
  readonly address: string;
}

/** Creates a repository, and the place for it where that is missing. */
export async function init({ address, settings, password, owner, version, clock }: InitOptions): Promise<InitOutcome> {
  const storage = await openStorage(address, { ...settings, create: true });
  const key = { ...owner, password: password.reveal() };
  await using repository = await createRepository({ storage, clock, key, version });
  return { id: repository.config.id, address: storage.url };
}
