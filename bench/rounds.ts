import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type DataSet, makeData, rewritePages } from './data.ts';
import { folderBytes, type Place } from './places.ts';
import type { Measurement, SetResult } from './results.ts';
import type { Run, Tool } from './tools.ts';

export interface BenchOptions {
  readonly set: DataSet;
  readonly scale: number;
  readonly rounds: number;
  readonly place: Place;
  readonly contestants: readonly Tool[];
  readonly work: string;
  readonly passwordFile: string;
  /** Empty repositories, one with another key and ID: the start of every repository, and of every copy's target. */
  readonly template: string;
  readonly copyTemplate: string;
  readonly restic: string;
  readonly env: NodeJS.ProcessEnv;
}

type Words = readonly string[] | undefined;

/** All rounds of a data set at a place. */
export async function benchSet(options: BenchOptions): Promise<SetResult> {
  const rounds = new Rounds(options);
  for (let round = 0; round < options.rounds; round++) await rounds.run(round);
  return rounds.result;
}

class Rounds {
  readonly result: SetResult;
  readonly #phases = new Map<string, Map<string, Measurement[]>>();
  readonly #repositoryBytes = new Map<string, number[]>();
  readonly #options: BenchOptions;
  readonly #data: string;
  /** Where repositories are no folders: one that is, to copy from. */
  readonly #source: string | undefined;

  constructor(options: BenchOptions) {
    const { set, work, scale, place } = options;
    this.#options = options;
    this.#data = makeData(set, work, scale);
    this.#source = place.name === '' ? undefined : localSource(options, this.#data);
    const found = { phases: this.#phases, repositoryBytes: this.#repositoryBytes };
    this.result = { set, place: place.name, dataBytes: folderBytes(this.#data), ...found };
  }

  async run(round: number): Promise<void> {
    const { contestants, set, scale } = this.#options;
    const turn = contestants.map((_, i, all) => all[(i + round) % all.length]).filter((tool) => tool !== undefined);
    for (const tool of turn) await this.#prepare(tool);
    await this.#phase(turn, 'open', (tool, run) => tool.open(run));
    await this.#phase(turn, 'first', (tool, run) => tool.backup(run));
    await this.#phase(turn, 'unchanged', (tool, run) => tool.backup(run));
    if (set === 'pages') {
      rewritePages(this.#data, scale, round);
      await this.#phase(turn, '2 % rewritten', (tool, run) => tool.backup(run));
    }
    // As on the day: the machine is another one.
    if (this.#source !== undefined) for (const tool of turn) this.#forgetCache(tool);
    await this.#phase(turn, 'restore', (tool, run) => tool.restore(run));
    await this.#phase(turn, 'copy', (tool, run) => tool.copy?.(run, run.repository));
    await this.#copyFromLocal(turn);
    for (const tool of turn) await this.#finish(tool);
  }

  async #copyFromLocal(turn: readonly Tool[]): Promise<void> {
    const { place, copyTemplate } = this.#options;
    const source = this.#source;
    if (source === undefined) return;
    for (const tool of turn) {
      const { copy } = this.#runOf(tool);
      await place.remove(copy);
      await place.make(copy, copyTemplate);
    }
    await this.#phase(turn, 'copy from a folder', (tool, run) => tool.copy?.(run, source));
  }

  async #phase(turn: readonly Tool[], name: string, words: (tool: Tool, run: Run) => Words): Promise<void> {
    for (const tool of turn) {
      const command = words(tool, this.#runOf(tool));
      if (command === undefined) continue;
      const ofPhase = this.#phases.getOrInsert(name, new Map<string, Measurement[]>());
      ofPhase.getOrInsert(tool.name, []).push(await measure(command, this.#options));
    }
  }

  #runOf(tool: Tool): Run {
    const { place, set, work, passwordFile } = this.#options;
    const folder = join(work, 'runs', `${set}-${tool.name}`);
    return {
      repository: place.address(join(folder, 'repository')),
      copy: place.address(join(folder, 'copy')),
      target: join(folder, 'restored'),
      home: join(folder, 'home'),
      data: this.#data,
      passwordFile,
    };
  }

  async #prepare(tool: Tool): Promise<void> {
    const { place, env, template, copyTemplate } = this.#options;
    const run = this.#runOf(tool);
    rmSync(join(run.home, '..'), { recursive: true, force: true });
    mkdirSync(run.home, { recursive: true });
    mkdirSync(run.target, { recursive: true });
    for (const [command = '', ...args] of tool.prepare?.(run) ?? [])
      execFileSync(command, args, { stdio: 'ignore', env });
    if (tool.prepare) return;
    await place.make(run.repository, template);
    await place.make(run.copy, copyTemplate);
  }

  #forgetCache(tool: Tool): void {
    const { home } = this.#runOf(tool);
    rmSync(home, { recursive: true });
    mkdirSync(home);
  }

  /** What was restored must be what was backed up: a fast restore of half the bytes is no result. */
  async #finish(tool: Tool): Promise<void> {
    const { place } = this.#options;
    const run = this.#runOf(tool);
    const [restored, wanted] = [folderBytes(run.target), folderBytes(this.#data)];
    if (restored !== wanted) throw new Error(`${tool.name} restored ${restored} bytes of ${wanted}`);
    this.#repositoryBytes.getOrInsert(tool.name, []).push(await place.sizeBytes(run.repository));
    await place.remove(run.repository);
    await place.remove(run.copy);
    rmSync(join(run.home, '..'), { recursive: true, force: true });
  }
}

async function measure(words: readonly string[], { place, env }: BenchOptions): Promise<Measurement> {
  const script = join(import.meta.dirname, 'measure.ts');
  const args = ['--disable-warning=ExperimentalWarning', script, ...words];
  await place.requests();
  const { stdout } = await promisify(execFile)(process.execPath, args, { encoding: 'utf8', env });
  const result = JSON.parse(stdout) as Measurement;
  if (result.status !== 0) throw new Error(`${words.join(' ')} failed: ${stdout}`);
  const requests = await place.requests();
  return { ...result, ...(requests && { requests }) };
}

/** Made by restic, in one backup. */
function localSource({ work, set, template, passwordFile, restic, env }: BenchOptions, data: string): string {
  const folder = join(work, 'runs', `${set}-source`);
  rmSync(folder, { recursive: true, force: true });
  cpSync(template, folder, { recursive: true });
  execFileSync(restic, ['-q', '--no-cache', '-r', folder, '--password-file', passwordFile, 'backup', data], { env });
  return folder;
}
