import { systemClock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import { withDeadline } from '../flow/abort.ts';
import { asOfView } from './as-of.ts';
import type { Driver, DriverSettings } from './driver.ts';
import { openLocal } from './local.ts';
import type { StorageSettings } from './settings.ts';
import type { Storage, WaitOptions } from './storage.ts';
import { Throttle, type Throttles } from './throttle.ts';
import { ThrottledStorage } from './throttled.ts';

const local: Driver = {
  throttledBy: 'decorator',
  open: async (address, settings) => openLocal(nonEmpty(address), settings),
};

/** By scheme. Each is loaded when an address asks for it: starting up costs no more for what isn't used. */
const drivers: Readonly<Record<string, Driver>> = {
  local,
  rest: {
    throttledBy: 'driver',
    open: async (address, settings) => (await import('./rest.ts')).openRest(address, settings),
  },
  s3: {
    throttledBy: 'driver',
    open: async (address, settings) => (await import('./s3.ts')).openS3(address, settings),
  },
  rclone: {
    throttledBy: 'driver',
    open: async (address, settings) => (await import('./rclone.ts')).openRclone(address, settings),
  },
  sftp: {
    throttledBy: 'driver',
    open: async (address, settings) => (await import('./sftp.ts')).openSftp(address, settings),
  },
};

/** restic's schemes that don't open yet. */
const notBuilt: readonly string[] = ['azure', 'b2', 'gs', 'swift'];

export interface OpeningOptions extends WaitOptions {
  /** How long a server may take; 0 or undefined: as long as an SSH server waits for a password, and some more. */
  readonly patienceMs?: number | undefined;
}

const usualPatienceMs = 3 * 60_000;

/**
 * Opens the storage at an address in restic's form: a path, `local:path`, or `scheme:…`. Anything else with a colon
 * is 'usage', as in restic: a folder of such a name needs `local:`. A server that gives no answer is 'storage-timeout'.
 */
export async function openStorage(
  url: string,
  settings: StorageSettings = {},
  { signal, patienceMs }: OpeningOptions = {},
): Promise<Storage> {
  const { driver, address } = chosen(url);
  const driverSettings: DriverSettings = { ...settings, throttles: throttlesOf(settings) };
  const error = (): HoldfastError => new HoldfastError('storage-timeout', 'the storage does not answer');
  const deadline = { ms: patienceMs || usualPatienceMs, clock: systemClock, error, signal };
  const opened = await withDeadline(deadline, (opening) => driver.open(address, { ...driverSettings, opening }));
  const storage = settings.asOf === undefined ? opened : await viewed(opened, settings.asOf);
  const { upload, download } = driverSettings.throttles;
  const decorated = driver.throttledBy === 'decorator' && (upload || download);
  return decorated ? new ThrottledStorage(storage, { upload, download }) : storage;
}

/** One that can't be shown as it was stays open for nobody. */
async function viewed(storage: Storage, timeNs: bigint): Promise<Storage> {
  try {
    return asOfView(storage, timeNs);
  } catch (error) {
    await storage[Symbol.asyncDispose]();
    throw error;
  }
}

function chosen(url: string): { readonly driver: Driver; readonly address: string } {
  const colon = url.indexOf(':');
  const scheme = url.slice(0, Math.max(0, colon));
  const driver = Object.hasOwn(drivers, scheme) ? drivers[scheme] : undefined;
  if (driver) return { driver, address: url.slice(colon + 1) };
  if (notBuilt.includes(scheme)) {
    throw new HoldfastError('unsupported', `storages with ${scheme}: are not built yet; a local folder works`);
  }
  const isPath = url.startsWith('/') || url.startsWith('../') || url.startsWith('./');
  if (colon < 0 || isPath) return { driver: local, address: url };
  throw new HoldfastError(
    'usage',
    `unknown kind of storage ${JSON.stringify(`${scheme}:`)}; for a folder of that name write local:PATH`,
  );
}

function throttlesOf({ limits = {} }: StorageSettings): Throttles {
  const throttle = (bytesPerSecond: number | undefined): Throttle | undefined =>
    bytesPerSecond === undefined ? undefined : new Throttle({ bytesPerSecond, clock: systemClock });
  return { upload: throttle(limits.uploadBytesPerSecond), download: throttle(limits.downloadBytesPerSecond) };
}

function nonEmpty(path: string): string {
  if (path === '') throw new HoldfastError('usage', 'the address of the repository is empty');
  return path;
}
