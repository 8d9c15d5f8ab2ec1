import { driverOptions, type DriverSettings } from './driver.ts';
import { parseSftpAddress, sshCommand } from './sftp/address.ts';
import { Session } from './sftp/session.ts';
import { SftpStorage } from './sftp/storage.ts';
import type { Storage } from './storage.ts';

/**
 * Opens what follows `sftp:`, a folder on another machine, over the system's `ssh`: what ssh_config, agents and jump
 * hosts do for a login, they do here.
 */
export async function openSftp(address: string, settings: DriverSettings): Promise<Storage> {
  // One connection carries as many requests as there are: restic's number of them is taken and changes nothing.
  const options = driverOptions('sftp', { command: 'text', args: 'text', connections: 'number' }, settings.options);
  const place = parseSftpAddress(address);
  const session = new Session(sshCommand(place, options));
  const { throttles } = settings;
  const whenMissing = settings.create ? 'create' : 'refuse';
  const opened = { session, root: place.path, url: place.url, throttles };
  return await SftpStorage.open(opened, whenMissing, settings.opening);
}
