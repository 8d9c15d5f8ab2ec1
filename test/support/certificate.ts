import { spawnSync } from 'node:child_process';
import { absent } from '../absences.ts';
import { runOk } from './run-program.ts';
import type { TempDir } from './temp-dir.ts';

/** Why no certificate can be made here, or false. */
export const withoutOpenssl = spawnSync('openssl', ['version']).status === 0 ? false : absent('openssl');

/** Makes a certificate for 127.0.0.1 that vouches for itself; the paths of it and its key, in PEM. */
export async function certificate(dir: TempDir): Promise<{ readonly cert: string; readonly key: string }> {
  const [cert, key] = [dir.file('cert.pem'), dir.file('key.pem')];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await runOk('openssl', [...request, ...names, '-keyout', key, '-out', cert]);
  return { cert, key };
}
