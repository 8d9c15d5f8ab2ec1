import type { FileId } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { KeyInfo } from '../repository/passwords.ts';
import type { NewKey } from '../repository/passwords.ts';
import { inRepository, type JobContext } from './job.ts';

/** Keys that can't be read are told as warnings. */
export async function listKeys(context: JobContext): Promise<readonly KeyInfo[]> {
  return await inRepository(context, 'read', async ({ keys }) =>
    keys.list((id, { message }) => context.listener({ kind: 'warning', during: 'list keys', item: id, message })),
  );
}

/** `newKey` is asked for once the repository is open, so that a wrong password is told before a new one is typed. */
export async function addKey(context: JobContext, newKey: () => Promise<NewKey>): Promise<FileId> {
  return await inRepository(context, 'write', async ({ keys }) => keys.add(await newKey()));
}

export async function changePassword(context: JobContext, newKey: () => Promise<NewKey>): Promise<FileId> {
  return await inRepository(context, 'rewrite', async ({ keys }) => keys.changePassword(await newKey()));
}

/** Removes the one key whose ID starts with `prefix`. */
export async function removeKey(context: JobContext, prefix: string): Promise<FileId> {
  return await inRepository(context, 'rewrite', async (repository) => {
    const ids = await Array.fromAsync(repository.list('keys'), ({ id }) => id);
    const [id, another] = ids.filter((one) => one.startsWith(prefix));
    if (id === undefined || another !== undefined) {
      throw new HoldfastError(
        'refused',
        `${id === undefined ? 'no key' : 'more than one key'} has an ID that begins with ${JSON.stringify(prefix)}`,
      );
    }
    await repository.keys.remove(id);
    return id;
  });
}
