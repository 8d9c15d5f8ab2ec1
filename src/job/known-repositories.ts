import { hash } from 'node:crypto';
import { parseFields, textOf } from '../bytes/fields.ts';
import { secondText } from '../clock/date.ts';
import type { Clock } from '../clock/clock.ts';
import { hasCode, HoldfastError } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import { rememberedIn, rememberIn, type RecordState } from '../record/state.ts';
import type { Repository } from '../repository/repository.ts';

/** What this host remembers of an address: that a repository was opened there. */
export interface KnownRepository {
  readonly id: string;
  /** When this one was opened there first (ISO 8601). */
  readonly since: string;
}

interface Memory {
  readonly state: RecordState;
  /** As the policy has it: at another address is another repository. */
  readonly address: string;
}

export async function knownRepository({ state, address }: Memory): Promise<KnownRepository | undefined> {
  const name = nameOf(address);
  try {
    const bytes = await rememberedIn(state, name);
    if (bytes === undefined) return undefined;
    const fields = parseFields(bytes, name);
    return { id: textOf(fields['id'], name), since: textOf(fields['since'], name) };
  } catch (error) {
    // What can't be read says nothing of what was there.
    if (!hasCode(error, 'damaged', 'refused')) throw error;
    return undefined;
  }
}

/** Opens a repository and remembers it; where there is none any more at its address, the error says that there was one. */
export async function openRemembering(
  memory: Memory,
  open: () => Promise<Repository>,
  { clock, listener }: { readonly clock: Clock; readonly listener: Listener },
): Promise<Repository> {
  const known = await knownRepository(memory);
  const repository = await open().catch((error: unknown) => {
    throw known !== undefined && hasCode(error, 'no-repository') ? vanished(error, known) : error;
  });
  if (known?.id === repository.config.id) return repository;
  const since = secondText(clock.nowNs());
  try {
    await rememberIn(memory.state, nameOf(memory.address), JSON.stringify({ id: repository.config.id, since }));
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    const data = { repository: repository.storage.url, reason: error.message };
    listener({ kind: 'note', name: 'repository-not-remembered', data });
  }
  return repository;
}

function vanished({ code, message, cause }: HoldfastError, { id, since }: KnownRepository): HoldfastError {
  return new HoldfastError(code, `${message}; this host knows one there, ${id.slice(0, 8)}, since ${since}`, {
    cause,
    next: 'Is its disk mounted, its server the right one? Nothing was changed. Only one that is lost for good is made anew, and empty, by `holdfast init`.',
  });
}

/** An address may be long, and hold a password. */
function nameOf(address: string): string {
  return `repositories/${hash('sha256', address).slice(0, 16)}.json`;
}
