import { rawPathOf } from '../bytes/ids.ts';
import { hasCode } from '../errors/error.ts';
import { streamsOf } from '../log/store.ts';
import { secretsOf, type NamedSecret } from '../policy/secrets.ts';
import type { Component, Policy } from '../policy/policy.ts';
import { lackingPaths } from '../source/probe.ts';
import type { HeldStream, SetupItem } from '../source/setup.ts';
import type { ComponentContext } from './component.ts';
import { logPlaces } from './log-places.ts';

/**
 * Secrets of the places of an archive that its server's processes would not find: they have neither the variables of this
 * shell nor what systemd handed over, and read what their user may.
 */
export function secretsOutOfReach(policy: Policy, { log }: Component): readonly SetupItem[] {
  if (log?.mode !== 'archive') return [];
  const places = Object.keys(log.to);
  return secretsOf(policy)
    .filter(({ path: [, repository] }) => places.includes(String(repository)))
    .flatMap((named) => outOfReach(named) ?? []);
}

function outOfReach({ path, secret: { env, credential, file } }: NamedSecret): SetupItem | undefined {
  const name = `secret ${path.join('.')}`;
  const why = 'the server starts Holdfast for each segment, as its own user and without the variables of this shell';
  const item = { name, state: 'by hand', wanted: 'a file that the user of the server may read', why } as const;
  const lines = { where: 'the policy', text: ['{ file: /etc/holdfast/password }'] };
  if (env !== undefined) return { ...item, found: `the variable ${env}`, lines };
  if (credential !== undefined) return { ...item, found: `a credential of systemd, ${credential}`, lines };
  const [lacking] = file === undefined ? [] : lackingPaths([rawPathOf(file)]);
  return lacking === undefined ? undefined : { ...item, found: `${lacking.what}: ${lacking.reason}` };
}

/** Whether a place of the component's log holds a stream already, for who is about to write it for the first time. */
export function heldStreamOf(
  context: Pick<ComponentContext, 'access'>,
  name: string,
  component: Component,
): (stream: string) => Promise<HeldStream> {
  return async (stream) => {
    for (const place of logPlaces(context, component)) {
      try {
        await using repository = await place.open();
        if ((await streamsOf(repository, name)).includes(stream)) return { state: 'held', by: place.repository };
      } catch (error) {
        if (hasCode(error, 'no-repository')) continue;
        if (!(error instanceof Error)) throw error;
        return { state: 'not known', reason: `${place.repository}: ${error.message}` };
      }
    }
    return { state: 'not held' };
  };
}
