import { isIP } from 'node:net';
import { currentUser } from '../host/users.ts';
import type { Actor } from '../record/record.ts';
import type { Context } from './context.ts';

/** Who acts: under sudo who called it. */
export function person({ environment }: Pick<Context, 'environment'>): string {
  const { name, uid } = currentUser();
  const caller = uid === 0 ? environment['SUDO_USER'] : undefined;
  return caller ?? (name === '' ? `uid ${uid}` : name);
}

/**
 * Who acts, as records tell it. The address is what SSH says of the one who is logged in; sudo takes it away unless it
 * is told to keep it (`env_keep += "SSH_CONNECTION"`). Whether a second factor was asked nobody tells a program.
 */
export function actorOf(context: Pick<Context, 'environment'>): Actor {
  const { SSH_CONNECTION: connection, SSH_CLIENT: client } = context.environment;
  const [ip = ''] = (connection ?? client ?? '').split(' ');
  return { id: person(context), via: 'cli', ...(isIP(ip) === 0 ? {} : { ip }) };
}
