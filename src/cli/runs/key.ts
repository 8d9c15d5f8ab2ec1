import { parseGoTime } from '../../bytes/go-time.ts';
import { currentUser, hostName } from '../../host/users.ts';
import { addKey, changePassword, listKeys, removeKey } from '../../job/keys.ts';
import type { NewKey } from '../../repository/passwords.ts';
import { readSecret } from '../../secret/secret.ts';
import type { JobContext } from '../../job/job.ts';
import { askNewSecret } from '../ask.ts';
import { atRepository } from '../at-repository.ts';
import type { Invocation, Run } from '../command.ts';
import type { keyOptions, newKeyOptions } from '../commands/key.ts';
import type { Context } from '../context.ts';
import { formatTime, quoteForTerminal } from '../format.ts';
import { tableLines } from '../table.ts';

type KeyRun = Run<typeof keyOptions>;
type NewKeyRun = Run<typeof newKeyOptions>;

export const list: KeyRun = async ({ values }, context) => {
  const { console } = context;
  const keys = await atKeys(context, values.repository, listKeys, ({ length }) => ({ action: 'listed', keys: length }));
  if (console.form === 'json') {
    console.record(
      keys.map(({ current, id, username, hostname, created }) => ({
        current,
        id,
        userName: username,
        hostName: hostname,
        created: formatTime(parseGoTime(created)),
      })),
    );
    return 0;
  }
  const rows = keys.map(({ current, id, username, hostname, created }) => [
    `${current ? '*' : ' '}${id.slice(0, 8)}`,
    quoteForTerminal(username),
    quoteForTerminal(hostname),
    formatTime(parseGoTime(created)),
  ]);
  for (const line of tableLines({ header: [' ID', 'User', 'Host', 'Created'], rows })) console.say(line);
  return 0;
};

export const add: NewKeyRun = async (invocation, context) => {
  const made = await withNewKey(invocation, context, 'added');
  context.console.say(`saved new key with ID ${made}`);
  return 0;
};

export const passwd: NewKeyRun = async (invocation, context) => {
  const made = await withNewKey(invocation, context, 'changed');
  context.console.say(`saved new key as ${made}; the old password opens the repository no more`);
  return 0;
};

export const remove: KeyRun = async ({ values, operands }, context) => {
  const removing = async (job: JobContext): Promise<string> => await removeKey(job, operands[0] ?? '');
  const id = await atKeys(context, values.repository, removing, (key) => ({ action: 'removed', key }));
  context.console.say(`removed key ${id}`);
  return 0;
};

async function withNewKey(
  invocation: Invocation<typeof newKeyOptions>,
  context: Context,
  action: 'added' | 'changed',
): Promise<string> {
  const { user, host, repository } = invocation.values;
  const act = action === 'added' ? addKey : changePassword;
  const making = async (job: JobContext): Promise<string> =>
    await act(job, async () => await newKey(invocation, context));
  return await atKeys(context, repository, making, (key) => ({ action, key, ...ownerOf({ user, host }) }));
}

async function atKeys<T>(
  context: Context,
  named: string | undefined,
  run: (job: JobContext) => Promise<T>,
  dataOf: (outcome: T) => Readonly<Record<string, unknown>>,
): Promise<T> {
  const { listener } = context;
  const data = (outcome: T): Readonly<Record<string, unknown>> => ({ outcome: 'done', ...dataOf(outcome) });
  return await atRepository(context, { named, mode: 'execute', listener, kind: 'key', run, dataOf: data });
}

function ownerOf({ user, host }: { readonly user: string | undefined; readonly host: string | undefined }): {
  readonly username: string;
  readonly hostname: string;
} {
  return { username: user ?? currentUser().name, hostname: host ?? hostName() };
}

async function newKey({ values }: Invocation<typeof newKeyOptions>, { signal }: Context): Promise<NewKey> {
  const { newPasswordFile, newInsecureNoPassword } = values;
  const secret =
    newPasswordFile !== undefined
      ? await readSecret({ kind: 'file', path: newPasswordFile }, signal)
      : newInsecureNoPassword
        ? await readSecret({ kind: 'empty' }, signal)
        : await askNewSecret(signal);
  return { password: secret.reveal(), ...ownerOf(values) };
}
