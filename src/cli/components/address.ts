import { HoldfastError } from '../../errors/error.ts';
import { neverShow } from '../../secret/redact.ts';
import { Secret } from '../../secret/secret.ts';
import type { Context } from '../context.ts';
import { secretsIn } from '../policy-place.ts';

/** Where the address is kept, or itself; a password may stand in $PGPASSWORD instead. It is shown nowhere. */
export async function addressOf(into: string, context: Context): Promise<Secret> {
  const [, kind, place = ''] = /^(env|file):(?!\/\/)(.+)$/s.exec(into) ?? [];
  const reference = kind === 'env' ? { env: place } : { file: place };
  const read = kind === undefined ? new Secret(into) : await secretsIn(context)(reference, context.signal);
  const address = URL.parse(read.reveal());
  if (address === null || !/^postgres(?:ql)?:$/.test(address.protocol))
    throw new HoldfastError('usage', '--into is no address: postgres://user@host:5432/newdb, env:NAME or file:PATH');
  const { PGPASSWORD: password = '' } = context.environment;
  if (address.password === '' && password !== '') address.password = encodeURIComponent(password);
  neverShow(passwordIn(address));
  return new Secret(address.href);
}

function passwordIn({ password }: URL): string {
  try {
    return decodeURIComponent(password);
  } catch {
    neverShow(password);
    throw new HoldfastError('usage', '--into: the password has a % that begins no escape; a % itself is written %25');
  }
}
