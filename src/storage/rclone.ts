import { HoldfastError } from '../errors/error.ts';
import { orAborted } from '../flow/abort.ts';
import { splitWords } from '../secret/words.ts';
import { driverOptions, type DriverSettings } from './driver.ts';
import { shownRemote } from './rclone/remote.ts';
import { RcloneProcess } from './rclone/process.ts';
import { RestStorage } from './rest/storage.ts';
import type { Storage } from './storage.ts';

const usualArgs = 'serve restic --stdio --b2-hard-delete';

/**
 * Opens what follows `rclone:`, a remote of rclone's configuration with a path in it, through an rclone that serves
 * restic's REST protocol.
 */
export async function openRclone(remote: string, settings: DriverSettings): Promise<Storage> {
  const known = { program: 'text', args: 'text', timeout: 'text', connections: 'number' } as const;
  const options = driverOptions('rclone', known, settings.options);
  const [program, ...more] = splitWords(options.program ?? 'rclone');
  if (program === undefined) throw new HoldfastError('usage', 'the option rclone.program is empty');
  if (remote === '') throw new HoldfastError('usage', 'the address is not of the form rclone:remote:path');
  const rclone = new RcloneProcess({
    command: [program, ...more, ...splitWords(options.args ?? usualArgs), remote],
    timeoutMs: timeoutMs(options.timeout ?? '1m'),
    upload: settings.throttles.upload,
    remote: [remote, shownRemote(remote)],
  });
  const { exchange, explain, close } = rclone;
  const { download } = settings.throttles;
  const url = `rclone:${shownRemote(remote)}`;
  const storage = new RestStorage({ exchange, explain, close, url, path: '/', headers: {}, download });
  try {
    const wait = settings.opening ? { signal: settings.opening } : {};
    const begun = settings.create ? storage.create(wait) : storage.begin(async () => void (await rclone.start()));
    await orAborted(begun, settings.opening);
    return storage;
  } catch (error) {
    await close();
    throw error;
  }
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function timeoutMs(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,6})(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Number(number) * (unitsMs[unit] ?? 0);
  if (ms > 0) return ms;
  throw new HoldfastError('usage', `the option rclone.timeout takes a time such as 90s, not ${JSON.stringify(text)}`);
}
