import { spawnSync } from 'node:child_process';
import { chmod, chown, cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { absent } from '../absences.ts';
import { currentUser } from '../../src/host/users.ts';
import { runOk } from '../support/run-program.ts';
import type { TempDir } from '../support/temp-dir.ts';
import { debianPackages, hasDebian } from './debian.ts';
import { startServer, type RunningServer } from './running.ts';

/** Why a test with Debian's OpenSSH can't run here, or false. */
export function withoutSshd(): string | false {
  const client = spawnSync('ssh-keygen', ['-?'], { stdio: 'ignore' }).error === undefined;
  return client && hasDebian() ? false : absent('sshd');
}

const nobody = { uid: 65534, gid: 65534, name: 'nobody' };

export interface Sshd extends RunningServer {
  /** A folder that the server's user may write. */
  readonly folder: string;
  /** `sftp:user@127.0.0.1:/…/name`, in restic's form. */
  readonly address: (name: string) => string;
  /** Whom it lets in. */
  readonly user: string;
  /** What `ssh` needs to get in, for `-o sftp.args`. */
  readonly args: string;
}

/** Debian's OpenSSH server, 9.2, for SFTP alone, with keys of its own. As root it serves as nobody, whom only PAM lets in. */
export async function startSshd(): Promise<Sshd> {
  const { uid, gid, name } = process.getuid?.() === 0 ? nobody : currentUser();
  let port = 0;
  const server = await startServer({
    program: 'setpriv',
    args: async (place) => {
      port = place.port;
      const { dir } = place;
      await prepare(dir, port);
      for (const path of await ownFiles(dir)) await chown(path, uid, gid);
      await chmod(dir.path, 0o755);
      const [sshd, libraries] = [dir.file('sshd'), dir.file('libraries')];
      const as = ['--reuid', String(uid), '--regid', String(gid), ...(uid === nobody.uid ? ['--clear-groups'] : [])];
      const env = ['env', `LD_LIBRARY_PATH=${libraries}`];
      return [...(process.getuid?.() === 0 ? as : []), ...env, sshd, '-D', '-e', '-f', dir.file('sshd_config')];
    },
  });
  const { dir } = server;
  const options = [
    `UserKnownHostsFile=${dir.file('known_hosts')}`,
    ...['StrictHostKeyChecking=yes', 'IdentitiesOnly=yes', 'IdentityAgent=none', 'BatchMode=yes'],
  ];
  const args = ['-F', '/dev/null', '-i', dir.file('key'), '-p', String(port), ...options.flatMap((one) => ['-o', one])];
  const folder = dir.file('data');
  return {
    ...server,
    folder,
    user: name,
    args: args.join(' '),
    address: (one) => `sftp:${name}@127.0.0.1:${folder}/${one}`,
  };
}

/** Everything of OpenSSH's server side. */
async function openssh(): Promise<string> {
  return await debianPackages('openssh-debian12', ['openssh-server', 'openssh-sftp-server', 'libwrap0']);
}

/** The program that `sshd` would start: SFTP over its own standard input and output. */
export async function sftpServer(): Promise<string> {
  return join(await openssh(), 'usr/lib/openssh/sftp-server');
}

async function prepare(dir: TempDir, port: number): Promise<void> {
  const debian = await openssh();
  await cp(join(debian, 'usr/sbin/sshd'), dir.file('sshd'));
  await cp(
    join(debian, 'usr/lib', `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`),
    dir.file('libraries'),
    {
      recursive: true,
    },
  );
  await mkdir(dir.file('data'));
  for (const key of ['key', 'host_key']) {
    await runOk('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', dir.file(key)]);
  }
  const hostKey = (await runOk('cat', [dir.file('host_key.pub')])).toString();
  await writeFile(dir.file('known_hosts'), `[127.0.0.1]:${port} ${hostKey}`);
  await cp(dir.file('key.pub'), dir.file('authorized_keys'));
  await writeFile(
    dir.file('sshd_config'),
    [
      ...[`Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${dir.file('host_key')}`, 'PidFile none'],
      ...[`AuthorizedKeysFile ${dir.file('authorized_keys')}`, 'StrictModes no', 'UsePAM yes'],
      ...['PasswordAuthentication no', 'KbdInteractiveAuthentication no', 'MaxStartups 100'],
      ...['Subsystem sftp internal-sftp', 'ForceCommand internal-sftp', 'LogLevel VERBOSE', ''],
    ].join('\n'),
  );
}

async function ownFiles(dir: TempDir): Promise<readonly string[]> {
  return ['data', 'host_key', 'authorized_keys', 'sshd_config'].map((name) => dir.file(name));
}
