import { wholeRepository } from '../record/record.ts';
import { verifyChains } from '../record/verdict.ts';
import type { Repository } from '../repository/repository.ts';
import type { ComponentContext } from './component.ts';
import { fromEach } from './from-each.ts';
import { namesOfKeepers, warn } from './record-keepers.ts';
import { believedSigners, type SignersOf } from './trust.ts';

/** A signing key that a record introduces, which a believed key has signed. */
export interface Introduction {
  /** Public, base64. */
  readonly signer: string;
  /** Whose it is, as it was said. */
  readonly whose: string;
  readonly by: string;
  readonly timeNs: bigint;
}

/**
 * Whose signatures are believed in any chain: with `signers:` in the policy those keys, whom they introduced, whom these
 * introduced, and so on; else as `believedSigners` says. Introductions stand under `@repository` in any repository: whom one
 * introduces that opens and can't be read is not known, which is told as a warning and to `onUnread`.
 */
export async function trustedSigners(
  context: ComponentContext,
  onUnread?: (repository: string) => void,
): Promise<SignersOf> {
  const { signers } = context.policy;
  if (signers === undefined) return await believedSigners(context);
  const introduced = await introductions(context, signers, onUnread);
  const all = [...new Set([...signers, ...introduced.map(({ signer }) => signer)])];
  return () => all;
}

/** What a repository that can't be opened holds is unknown, and told by who asks it for more. */
export async function introductions(
  context: ComponentContext,
  roots: readonly string[],
  onUnread?: (repository: string) => void,
): Promise<readonly Introduction[]> {
  await using opened = new AsyncDisposableStack();
  const open = async (name: string): Promise<Repository> => opened.use(await context.access(name).open());
  const answers = await fromEach(namesOfKeepers(context.policy), open, context);
  const readable = new Map(answers.flatMap(({ repository, value }) => (value ? [[repository, value] as const] : [])));
  let known: readonly Introduction[] = [];
  for (;;) {
    const trusted = [...roots, ...known.map(({ signer }) => signer)];
    const found = new Map(known.map((one) => [one.signer, one]));
    const read = async (name: string): Promise<readonly Introduction[]> =>
      await introducedIn(readable.get(name), trusted);
    for (const { repository, value = [], error } of await fromEach([...readable.keys()], read, context)) {
      for (const one of value) found.set(one.signer, one);
      // Once is enough: the rounds have to come to an end.
      if (error === undefined || !readable.delete(repository)) continue;
      warn(context, repository, `whose keys its records introduce is not known: ${error.message}`);
      onUnread?.(repository);
    }
    if (found.size === known.length) return known;
    known = [...found.values()];
  }
}

/** By whom is believed. */
async function introducedIn(
  repository: Repository | undefined,
  trusted: readonly string[],
): Promise<readonly Introduction[]> {
  const found: Introduction[] = [];
  if (repository === undefined) return found;
  await verifyChains(repository, {
    components: [wholeRepository],
    signersOf: () => trusted,
    heads: undefined,
    onRecord: ({ kind, data, actor, timeNs }) => {
      const { signer, whose } = data;
      if (kind !== 'key' || typeof signer !== 'string') return;
      found.push({ signer, whose: typeof whose === 'string' ? whose : '', by: actor.id, timeNs });
    },
  });
  return found;
}
