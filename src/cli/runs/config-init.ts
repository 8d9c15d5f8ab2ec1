import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';
import { hostName } from '../../host/users.ts';
import { recoverySheet, sheetAsHtml } from '../../policy/recovery-sheet.ts';
import { readPins } from '../../record/pins.ts';
import type { Context } from '../context.ts';
import { stateFolder } from '../state-folder.ts';
import { proposedPolicy } from '../../policy/propose.ts';
import { referenceOf } from '../../policy/secrets.ts';
import { readSecret } from '../../secret/secret.ts';
import { discover } from '../../source/discover.ts';
import type { Run } from '../command.ts';
import type { configInitOptions, configSheetOptions } from '../commands/config.ts';
import { jsonTime } from '../format.ts';
import { policyOf } from '../policy-file.ts';

/** No file is replaced: a policy that is there is somebody's, and a password may be the only one. */
export const init: Run<typeof configInitOptions> = async ({ values }, { console, kinds }) => {
  const [output, passwordFile] = [
    values.output ?? './holdfast.yaml',
    resolve(values.newPasswordFile ?? './holdfast-password'),
  ];
  const place = values.place ?? './holdfast-backups';
  const repository = place.includes(':') ? place : resolve(place);
  const found = discover(await kinds(), { root: '/', leftOut: [repository] });
  await created(output, proposedPolicy(found, { repository, passwordFile }), 'refused');
  const isNew = await created(passwordFile, `${randomBytes(24).toString('base64')}\n`, 'kept');
  if (console.form === 'json') {
    const names = found.map(({ name, why }) => ({ name, why }));
    console.record({
      message_type: 'policy_proposed',
      file: output,
      password_file: passwordFile,
      new_password: isNew,
      found: names,
    });
    return 0;
  }
  for (const { name, why } of found) console.say(`found ${why}: component ${name}`);
  console.say(
    `wrote ${output}${isNew ? `, and a new password into ${passwordFile}` : `; the password in ${passwordFile} is taken as it is`}`,
  );
  console.say('\nRead and change it; then: holdfast config check · holdfast init · holdfast backup --all');
  console.say('Keep the password elsewhere too: `holdfast config sheet --with-passwords` prints a recovery sheet.');
  return 0;
};

/** Readable by this user alone; false where it was there already and may be. */
async function created(path: string, text: string, ifThere: 'refused' | 'kept'): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (cause) {
    if (errorCode(cause) === 'EEXIST' && ifThere === 'kept') return false;
    const reason =
      errorCode(cause) === 'EEXIST' ? 'is there already, and is not replaced' : `can’t be written: ${reasonOf(cause)}`;
    throw new HoldfastError('usage', `${path} ${reason}`, { cause });
  }
}

export const sheet: Run<typeof configSheetOptions> = async ({ values }, context) => {
  const { policy } = await policyOf(context);
  const passwords = new Map<string, string>();
  if (values.withPasswords) {
    for (const [name, { password }] of Object.entries(policy.repositories))
      passwords.set(name, (await readSecret(referenceOf(password, context.environment), context.signal)).reveal());
  }
  const text = recoverySheet({
    policy,
    hostname: hostName(),
    passwords: values.withPasswords ? passwords : undefined,
    signers: policy.signers ?? (await signersPinned(context)),
    time: jsonTime(context.clock.nowNs()),
  });
  await context.console.raw(Buffer.from(values.html ? sheetAsHtml(text) : text));
  return 0;
};

async function signersPinned(context: Context): Promise<readonly string[]> {
  const pins = await readPins({ folder: stateFolder(context) });
  return [...pins].map(([writer, key]) => `${key} (${writer})`);
}
