import { parseGoTime } from '../../bytes/go-time.ts';
import { currentUser, hostName } from '../../host/users.ts';
import { addKey, changePassword, listKeys, removeKey } from '../../job/keys.ts';
import type { NewKey } from '../../repository/passwords.ts';
import { readSecret } from '../../secret/secret.ts';
import { jobContext } from '../access.ts';
import { askNewSecret } from '../ask.ts';
import type { Invocation, Run } from '../command.ts';
import type { newKeyOptions } from '../commands/key.ts';
import type { Context } from '../context.ts';
import { formatTime, quoteForTerminal } from '../format.ts';
import { tableLines } from '../table.ts';

export const list: Run<{}> = async (_invocation, context) => {
  const { console } = context;
  const keys = await listKeys(jobContext(context));
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

type NewKeyRun = Run<typeof newKeyOptions>;

export const add: NewKeyRun = async (invocation, context) => {
  const id = await addKey(jobContext(context), async () => await newKey(invocation, context));
  context.console.say(`saved new key with ID ${id}`);
  return 0;
};

export const passwd: NewKeyRun = async (invocation, context) => {
  const id = await changePassword(jobContext(context), async () => await newKey(invocation, context));
  context.console.say(`saved new key as ${id}; the old password opens the repository no more`);
  return 0;
};

export const remove: Run<{}> = async ({ operands }, context) => {
  const id = await removeKey(jobContext(context), operands[0] ?? '');
  context.console.say(`removed key ${id}`);
  return 0;
};

async function newKey({ values }: Invocation<typeof newKeyOptions>, { signal }: Context): Promise<NewKey> {
  const { newPasswordFile, newInsecureNoPassword } = values;
  const secret =
    newPasswordFile !== undefined
      ? await readSecret({ kind: 'file', path: newPasswordFile }, signal)
      : newInsecureNoPassword
        ? await readSecret({ kind: 'empty' }, signal)
        : await askNewSecret(signal);
  return {
    password: secret.reveal(),
    hostname: values.host ?? hostName(),
    username: values.user ?? currentUser().name,
  };
}
