import { readFile } from 'node:fs/promises';
import { errorCode } from '../host/system-error.ts';

/**
 * Whether the policy's file still holds what it held when this was called; for whoever works by it for long. One that
 * can't be read just now, as while it is replaced, has not changed.
 */
export async function policyWatch(file: string | undefined): Promise<() => Promise<boolean>> {
  const content = async (): Promise<string | undefined> => (file === undefined ? undefined : await textIn(file));
  const before = await content();
  return async () => {
    const now = await content();
    return now === undefined || now === before;
  };
}

async function textIn(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}
