import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '../../src/clock/clock.ts';
import { openRepository } from '../../src/repository/open.ts';
import { openStorage } from '../../src/storage/open.ts';
import { holdfastProgram } from './holdfast.ts';
import { writeManyRecords, type ManyRecords } from './many-records.ts';
import { runOk } from './run-program.ts';

export interface ReadingPlan extends ManyRecords {
  /** The repository's address, where nothing stands yet. */
  readonly address: string;
  readonly env: Readonly<Record<string, string>>;
  /** An empty folder. */
  readonly folder: string;
}

/** One run of the program: how long it took, and the lines that it printed. */
export interface Reading {
  readonly seconds: number;
  /** What it would take on a machine of its own, but for waiting. */
  readonly cpuSeconds: number;
  readonly lines: number;
  readonly code: number;
}

export interface Readings {
  /** By nothing but the repository. */
  readonly cold: Reading;
  /** By what is remembered. */
  readonly warm: Reading;
  /** One component, one kind, the newest. */
  readonly filtered: Reading;
  readonly verify: Reading;
}

const password = 'kanarienvogel';

/** Writes many records and has the real program read them. */
export async function readManyRecords(plan: ReadingPlan): Promise<Readings> {
  const { address, env, folder } = plan;
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const options = { env: { ...env, RESTIC_REPOSITORY: undefined, HOLDFAST_CONFIG: undefined } };
  await runOk(holdfastProgram, ['-r', address, '--password-file', passwordFile, 'init'], options);
  const signer = await write(plan);
  const policy = join(folder, 'holdfast.yaml');
  writeFileSync(policy, policyOf(plan, passwordFile, signer));
  const places = ['--cache-dir', join(folder, 'cache'), '--state-dir', join(folder, 'state')];
  const read = async (...args: readonly string[]): Promise<Reading> =>
    await timed([...places, '--config', policy, 'records', '--json', ...args], env);
  return {
    cold: await read(),
    warm: await read(),
    filtered: await read('--component', plan.components[0] ?? '', '--kind', 'verification', '--since', '2023-11-15'),
    verify: await read('--verify'),
  };
}

async function write(plan: ReadingPlan): Promise<string> {
  await using storage = await openStorage(plan.address, { environment: { ...process.env, ...plan.env } });
  await using repository = await openRepository({ storage, clock: systemClock, password });
  return await writeManyRecords(repository, plan);
}

function policyOf({ address, components }: ReadingPlan, passwordFile: string, signer: string): string {
  const component = (name: string): string =>
    `  ${name}: { files: { paths: [/srv] }, backups: { hourly: { every: 1h, to: { near: { keep: { last: 1 } } } } } }\n`;
  return `version: 1
repositories:
  near: { url: "${address}", password: { file: ${passwordFile} } }
signers: ["${signer}"]
components:
${components.map(component).join('')}`;
}

/** Its output is counted and kept nowhere. */
async function timed(args: readonly string[], env: ReadingPlan['env']): Promise<Reading> {
  const [started, cpu] = [performance.now(), endedChildrenSeconds()];
  const clean = { ...process.env, ...env };
  delete clean['RESTIC_REPOSITORY'];
  const child = spawn(holdfastProgram, args, { env: clean, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) if (line !== '') lines += 1;
  const [code] = (await ended) as [number];
  const seconds = (performance.now() - started) / 1000;
  const cpuSeconds = (endedChildrenSeconds() ?? Number.NaN) - (cpu ?? Number.NaN);
  return { seconds, cpuSeconds: Number.isNaN(cpuSeconds) ? seconds : cpuSeconds, lines, code };
}

/** CPU time of all children that have ended, where the system tells it (Linux, in hundredths of a second). */
function endedChildrenSeconds(): number | undefined {
  if (!existsSync('/proc/self/stat')) return undefined;
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) / 100;
}
