import { mkdir, writeFile } from 'node:fs/promises';
import { ownerKeys } from '../servers/s3-server.ts';
import { cheapKey } from '../support/engine.ts';
import type { TempDir } from '../support/temp-dir.ts';

const profiles = ['default', 'holdfast-writer', 'holdfast-pruner', 'google-hmac'];

/** Every secret that an example refers to, there where it says; resolves with the program's environment. */
export async function secretsIn(
  dir: TempDir,
  live: (path: string) => string,
  databaseUrl: string,
): Promise<Readonly<Record<string, string>>> {
  await mkdir(live('/etc/holdfast'), { recursive: true });
  await mkdir(dir.file('credentials'));
  const files = [live('/etc/holdfast/password'), live('/etc/holdfast/password-external')];
  for (const file of [...files, dir.file('credentials/holdfast-password')]) await writeFile(file, cheapKey.password);
  for (const file of [live('/etc/holdfast/database-url'), dir.file('credentials/database-url')])
    await writeFile(file, databaseUrl);
  const keys = `aws_access_key_id = ${ownerKeys.id}\naws_secret_access_key = ${ownerKeys.secret}\n`;
  await writeFile(dir.file('aws'), profiles.map((name) => `[${name}]\n${keys}`).join(''));
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: dir.path,
    AWS_SHARED_CREDENTIALS_FILE: dir.file('aws'),
    HOLDFAST_PASSWORD: cheapKey.password,
    DATABASE_URL: databaseUrl,
    CREDENTIALS_DIRECTORY: dir.file('credentials'),
  };
}
