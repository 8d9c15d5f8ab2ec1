import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/clock/clock.ts';
import type { CheckResult } from '../../src/job/verification.ts';
import { verdictOfChecks, type Verdict } from '../../src/job/verify/judge.ts';
import { openSandbox, type SandboxLimits } from '../../src/sandbox/sandbox.ts';
import { crc32c, crc32cText } from '../../src/bytes/crc32c.ts';
import { parseDescription } from '../../src/source/postgres/description.ts';
import { rehearseCluster } from '../../src/source/postgres/rehearse.ts';
import { ownFolder } from '../../src/source/postgres/sandbox-files.ts';
import { SandboxedServer } from '../../src/source/postgres/sandboxed-server.ts';
import type { Depth, Question, QueryAnswer } from '../../src/source/rehearsal.ts';
import { postgresPrograms } from '../servers/postgres-program.ts';
import type { PostgresMajor, PostgresServer } from '../servers/postgres-versions.ts';
import { restoreByRestic, shopScene } from './postgres-scene.ts';
import { runOk } from './run-program.ts';
import { tempDir, type TempDir } from './temp-dir.ts';
import type { Scene } from './verifying.ts';

/** What a snapshot of a cluster restores, as often as it is wanted. */
export interface Restored extends AsyncDisposable {
  /** Itself, for a test that rehearses it once. */
  readonly folder: string;
  /** A copy of its own, below which `shop-db/data` stands. */
  readonly copy: () => Promise<string>;
}

export interface BackedUp {
  /** More of `postgres:`. */
  readonly options?: string;
  /** Who backs it up. */
  readonly role?: string;
}

/** Backs a server up, and restores it once. */
export async function restoredOf(server: PostgresServer, { options = '', role }: BackedUp = {}): Promise<Restored> {
  const dir = await tempDir();
  const url = role === undefined ? server.url : server.url.replace('postgres@', `${role}@`);
  const scene = await shopScene(dir.path, url, { options });
  await scene.run('backup', 'shop-db');
  return await restoredFrom(scene, dir);
}

/** Restores the newest snapshot of a scene, into its folder; the folder ends with it. */
export async function restoredFrom(scene: Scene, dir: TempDir): Promise<Restored> {
  await runOk('chmod', ['a+rx', dir.path]);
  await restoreByRestic(scene, dir.file('restored'));
  let copies = 0;
  return {
    folder: dir.file('restored'),
    copy: async () => {
      copies += 1;
      const folder = dir.file(`copy-${copies}`);
      await mkdir(folder, { mode: 0o700 });
      await runOk('cp', ['-a', '--reflink=auto', dir.file('restored'), folder]);
      return join(folder, 'restored');
    },
    [Symbol.asyncDispose]: async () => await dir[Symbol.asyncDispose](),
  };
}

export interface Rehearsed extends Verdict {
  readonly checks: readonly CheckResult[];
  /** To the questions, in their order. */
  readonly answers: readonly QueryAnswer[];
}

export interface RehearseOptions {
  readonly major?: PostgresMajor;
  /** Their folder; without it those of the major. */
  readonly programs?: string;
  readonly limits?: Partial<SandboxLimits>;
  readonly depth?: Partial<Depth>;
  readonly questions?: readonly Question[];
}

/** Brings what was restored up in a sandbox, as a verification does, and gives its verdict. */
export async function rehearse(restored: string, { depth = {}, ...options }: RehearseOptions): Promise<Rehearsed> {
  await using up = await broughtUp(restored, options);
  return await up.rehearsed(depth);
}

/** A copy that was brought up in a sandbox: to be looked at more than once, for that takes less than bringing it up. */
export interface Up extends AsyncDisposable {
  readonly rehearsed: (depth: Partial<Depth>) => Promise<Rehearsed>;
  /** To be asked as if its backup had told otherwise of it. */
  readonly asTold: (description: string) => SandboxedServer;
}

export async function broughtUp(restored: string, options: Omit<RehearseOptions, 'depth'>): Promise<Up> {
  const programs = options.programs ?? (await postgresPrograms(options.major ?? '17'));
  const { signal } = new AbortController();
  const limits = { memoryBytes: 2 ** 31, diskBytes: 2 ** 40, timeMs: 600_000, ...options.limits };
  const rehearsal = rehearseCluster({ component: 'shop-db', programs: [programs], clock: systemClock });
  const visible = (await rehearsal.programs?.(restored, signal)) ?? [];
  await using stack = new AsyncDisposableStack();
  const place = { folder: restored, hidden: [], visible };
  const sandbox = stack.use(await openSandbox({ ...place, limits, clock: systemClock, signal }));
  const brought = await rehearsal.bringUp(sandbox, restored, signal);
  const kept = stack.move();
  return {
    rehearsed: async (depth) => {
      const whole = { of: 'all', tables: undefined, random: Math.random, ...depth } as const;
      const checks = [...brought.steps, ...(await rehearsal.ask(sandbox, brought, whole))];
      const answers: QueryAnswer[] = [];
      for (const question of options.questions ?? [])
        answers.push((await brought.answer?.(question)) ?? { kind: 'lacking', reason: 'nobody answers' });
      return { ...verdictOfChecks(checks), checks, answers };
    },
    asTold: (text) => new SandboxedServer(join(restored, ownFolder), parseDescription(text), signal),
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

/** Writes a manifest that says what is there now: as if production had been so when it was backed up. */
export async function agree(data: string): Promise<void> {
  const path = join(data, 'backup_manifest');
  const lines = (await readFile(path, 'utf8')).split('\n');
  const isFile = (line: string): boolean => line.startsWith('{ "Path": ');
  const files: string[] = [];
  for (const line of lines.filter(isFile)) files.push(...(await listedNow(data, line)));
  const [first, last] = [lines.findIndex(isFile), lines.findLastIndex(isFile)];
  const whole = [...lines.slice(0, first), files.join(',\n'), ...lines.slice(last + 1, -1)].join('\n');
  const [before = ''] = whole.split('"Manifest-Checksum"');
  const checksum = createHash('sha256').update(before).digest('hex');
  await writeFile(path, `${before}"Manifest-Checksum": "${checksum}"}\n`);
}

async function listedNow(data: string, line: string): Promise<readonly string[]> {
  const [, name = ''] = /"Path": "([^"]+)"/.exec(line) ?? [];
  if (!existsSync(join(data, name))) return [];
  const bytes = await readFile(join(data, name));
  const size = line.replace(/"Size": \d+/, `"Size": ${bytes.length}`);
  return [size.replace(/"Checksum": "[0-9a-f]+" \},?$/, `"Checksum": "${crc32cText(crc32c(0, bytes))}" }`)];
}
