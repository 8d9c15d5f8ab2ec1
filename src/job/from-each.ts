import { HoldfastError } from '../errors/error.ts';

/** What a repository answered, or why it didn't. */
export type Answer<T> =
  | { readonly repository: string; readonly value: T; readonly error?: undefined }
  | { readonly repository: string; readonly value?: undefined; readonly error: HoldfastError };

/**
 * Asks several repositories at the same time. Those that can't be asked are answers too; a defect, or an interrupt, is
 * thrown, once nobody is asked any more. In the order of the names.
 */
export async function fromEach<T>(
  repositories: readonly string[],
  ask: (repository: string) => Promise<T>,
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly Answer<T>[]> {
  const settled = await Promise.allSettled(repositories.map(ask));
  return settled.map((one, at) => {
    const repository = repositories[at] ?? '';
    if (one.status === 'fulfilled') return { repository, value: one.value };
    const reason: unknown = one.reason;
    if (!(reason instanceof HoldfastError) || signal.aborted) throw reason;
    return { repository, error: reason };
  });
}
