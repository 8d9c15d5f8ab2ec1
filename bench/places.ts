import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { versitygw } from '../test/servers/versitygw.ts';
import { openStorage } from '../src/storage/open.ts';
import type { Storage } from '../src/storage/storage.ts';
import type { RequestCounts } from './requests.ts';

/** Where the repositories of a run stand. */
export interface Place extends AsyncDisposable {
  /** Of rows: nothing for local folders. */
  readonly name: string;
  /** Variables by which the tools get there. */
  readonly env: Readonly<Record<string, string>>;
  /** The address of a repository in a run's folder. */
  readonly address: (folder: string) => string;
  /** Makes a repository out of a template, a local folder. */
  readonly make: (address: string, template: string) => Promise<void>;
  readonly sizeBytes: (address: string) => Promise<number>;
  readonly remove: (address: string) => Promise<void>;
  /** Since it was asked last; undefined where nothing is requested. */
  readonly requests: () => Promise<RequestCounts | undefined>;
}

export const localPlace: Place = {
  name: '',
  env: {},
  address: (folder) => folder,
  make: async (address, template) => cpSync(template, address, { recursive: true }),
  sizeBytes: async (address) => folderBytes(address),
  remove: async (address) => rmSync(address, { recursive: true, force: true }),
  requests: async () => undefined,
  [Symbol.asyncDispose]: async () => undefined,
};

function filesIn(folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => join(parentPath, name));
}

export function folderBytes(folder: string): number {
  return filesIn(folder).reduce((sum, file) => sum + statSync(file).size, 0);
}

/** A bucket of versitygw behind a link on which every answer takes so much longer. */
export async function s3Place(delayMs: number): Promise<Place> {
  const server = await versitygw();
  const link = await slowLink(server.running.port, delayMs);
  const env = server.owner;
  const storageAt = async (address: string): Promise<Storage> =>
    openStorage(address, { create: true, environment: { ...process.env, ...env } });
  return {
    name: `S3 +${delayMs} ms`,
    env,
    address: (folder) => `s3:http://127.0.0.1:${link.port}/bench${folder}`,
    make: async (address, template) => {
      await using storage = await storageAt(address);
      for (const file of filesIn(template)) await storage.put(relative(template, file), [readFileSync(file)]);
    },
    sizeBytes: async (address) => {
      await using storage = await storageAt(address);
      return (await Array.fromAsync(storage.list(''))).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    },
    remove: async (address) => {
      await using storage = await storageAt(address);
      for (const { key } of await Array.fromAsync(storage.list(''))) await storage.remove(key);
    },
    requests: link.requests,
    [Symbol.asyncDispose]: async () => {
      link.process.disconnect();
      await server[Symbol.asyncDispose]();
    },
  };
}

interface SlowLink {
  readonly port: number;
  readonly process: ChildProcess;
  readonly requests: () => Promise<RequestCounts>;
}

async function slowLink(to: number, delayMs: number): Promise<SlowLink> {
  const child = fork(join(import.meta.dirname, 'slow-link.ts'), [String(to), String(delayMs)]);
  const [port] = (await once(child, 'message')) as [number];
  const requests = async (): Promise<RequestCounts> => {
    child.send('take');
    const [counts] = (await once(child, 'message')) as [RequestCounts];
    return counts;
  };
  return { port, process: child, requests };
}
