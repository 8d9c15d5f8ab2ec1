import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/clock/clock.ts';
import type { CheckResult } from '../../src/job/verification.ts';
import { verdictOfChecks, type Verdict } from '../../src/job/verify/judge.ts';
import { openSandbox, type SandboxLimits } from '../../src/sandbox/sandbox.ts';
import { crc32c, crc32cText } from '../../src/bytes/crc32c.ts';
import { rehearseCluster } from '../../src/source/postgres/rehearse.ts';
import type { Depth, Question, QueryAnswer } from '../../src/source/rehearsal.ts';
import { postgresPrograms } from '../servers/postgres-program.ts';
import type { PostgresMajor, PostgresServer } from '../servers/postgres-versions.ts';
import { restoreByRestic, shopScene } from './postgres-scene.ts';
import { runOk } from './run-program.ts';
import { tempDir } from './temp-dir.ts';

/** What a snapshot of a cluster restores, as often as it is wanted. */
export interface Restored extends AsyncDisposable {
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
  await runOk('chmod', ['a+rx', dir.path]);
  const url = role === undefined ? server.url : server.url.replace('postgres@', `${role}@`);
  const scene = await shopScene(dir.path, url, { options });
  await scene.run('backup', 'shop-db');
  await restoreByRestic(scene, dir.file('restored'));
  let copies = 0;
  return {
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
export async function rehearse(restored: string, options: RehearseOptions): Promise<Rehearsed> {
  const programs = options.programs ?? (await postgresPrograms(options.major ?? '17'));
  const { signal } = new AbortController();
  const limits = { memoryBytes: 2 ** 31, diskBytes: 2 ** 33, timeMs: 120_000, ...options.limits };
  await using sandbox = await openSandbox({ folder: restored, hidden: [], limits, clock: systemClock, signal });
  const rehearsal = rehearseCluster({ component: 'shop-db', programs: [programs], clock: systemClock });
  const brought = await rehearsal.bringUp(sandbox, restored, signal);
  const depth = { of: 'all', tables: undefined, random: Math.random, ...options.depth } as const;
  const asked = await rehearsal.ask(sandbox, brought, depth);
  const checks = [...brought.steps, ...asked];
  const answers: QueryAnswer[] = [];
  for (const question of options.questions ?? [])
    answers.push((await brought.answer?.(question)) ?? { kind: 'lacking', reason: 'nobody answers' });
  return { ...verdictOfChecks(checks), checks, answers };
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
