import type { Clock } from '../clock/clock.ts';
import type { RepositoryKey } from '../crypto/seal.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Storage } from '../storage/storage.ts';
import type { Repository, RepositoryConfig } from './repository.ts';

/** What the parts of this room share of an opened repository. */
export interface Session {
  /** Behind the cache, if there is one, and behind the write gate. */
  readonly storage: Storage;
  /** The master key. */
  readonly key: RepositoryKey;
  readonly config: RepositoryConfig;
  readonly clock: Clock;
}

/** rustic's mark: nothing but locks may change. */
export function assertChangeable(config: RepositoryConfig): void {
  if (config.appendOnly) throw new HoldfastError('refused', 'the repository is marked append-only by its config');
}

const sessions = new WeakMap<Repository, Session>();

/** For the parts of this room that get a repository from outside: it shows its key to nobody else. */
export function sessionOf(repository: Repository): Session {
  const session = sessions.get(repository);
  if (session) return session;
  throw new HoldfastError('internal', 'this repository was not opened by this program');
}

export function attachSession(repository: Repository, session: Session): void {
  sessions.set(repository, session);
}
