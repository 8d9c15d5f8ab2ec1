import { readdir } from 'node:fs/promises';
import { HoldfastError } from '../../src/errors/error.ts';
import { openLocal } from '../../src/storage/local.ts';
import { runOk } from './run-program.ts';

/**
 * What a local storage says and leaves when its disk is full, read-only, not ours and unmounted. Runs as root in a
 * mount namespace of its own, on the empty folder given; prints a `DiskTrial` as JSON.
 */
export interface DiskTrial {
  readonly full: Attempt;
  readonly readOnlyPut: Attempt;
  readonly readOnlyRemove: Attempt;
  readonly denied: Attempt;
  readonly unmountedPut: Attempt;
  readonly unmountedGet: Attempt;
  readonly unmountedList: Attempt;
  /** Files on the disk before it went read-only. */
  readonly files: readonly string[];
  /** What the empty mount point holds in the end. */
  readonly mountPoint: readonly string[];
}

/** The code of the error, or that there was none. */
type Attempt = string;

async function attempt(call: Promise<unknown>): Promise<Attempt> {
  return await call.then(
    () => 'no error',
    (error: unknown) => (error instanceof HoldfastError ? error.code : String(error)),
  );
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

async function run(folder: string): Promise<DiskTrial> {
  const small = new Uint8Array(1000);
  const large = new Uint8Array(8 * 1024 * 1024);
  await runOk('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]);
  await using storage = await openLocal(folder);
  await storage.put('data/ab/kept', [small]);
  const full = await attempt(storage.put('data/ab/large', [large]));
  process.seteuid?.(65_534);
  const denied = await attempt(storage.put('data/ab/denied', [small]));
  process.seteuid?.(0);
  const files = await filesIn(folder);
  await runOk('mount', ['-o', 'remount,ro', folder]);
  const readOnlyPut = await attempt(storage.put('data/ab/late', [small]));
  const readOnlyRemove = await attempt(storage.remove('data/ab/kept'));
  await runOk('umount', [folder]);
  return {
    ...{ full, denied, files, readOnlyPut, readOnlyRemove },
    unmountedPut: await attempt(storage.put('data/ab/late', [small])),
    unmountedGet: await attempt(storage.get('data/ab/kept')),
    unmountedList: await attempt(Array.fromAsync(storage.list('data/'))),
    mountPoint: await readdir(folder),
  };
}

process.stdout.write(JSON.stringify(await run(process.argv[2] ?? '')));
