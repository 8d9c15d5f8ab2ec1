import { mkdir, writeFile } from 'node:fs/promises';
import type { RunResult } from './run-program.ts';
import { served } from './served.ts';
import { cheapRepository } from './two-tools.ts';

/** Folders of one team: repositories, what it backs up, and its policy. */
export interface Scene {
  /** A path inside. */
  file(...segments: readonly string[]): string;
  run(...args: readonly string[]): Promise<RunResult>;
  /** Its standard output; fails with its words unless it exits with 0. */
  ok(...args: readonly string[]): Promise<string>;
  /** Of its last verification, copy by copy. */
  verified(...args: readonly string[]): Promise<Verified>;
}

export interface Verified {
  readonly code: number | null;
  readonly all: readonly VerifiedCopy[];
}

export interface VerifiedCopy {
  readonly component: string;
  readonly repository: string;
  readonly state: string;
  readonly reason?: string;
  readonly checks?: readonly { readonly name: string; readonly state: string; readonly found: string }[];
}

/** A scene whose policy stands in `folder`; DIR in it is that folder. */
export async function sceneAt(folder: string, policy: string, kinds?: 'elsewhere'): Promise<Scene> {
  await writeFile(`${folder}/password`, 'secret');
  await writeFile(`${folder}/holdfast.yaml`, `version: 1\n${policy.replaceAll('DIR', folder)}`);
  const state = ['--cache-dir', `${folder}/cache`, '--state-dir', `${folder}/state`];
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder };
  const run: Scene['run'] = async (...args) => await served({ args: [...state, ...args], env, cwd: folder, kinds });
  const ok: Scene['ok'] = async (...args) => {
    const { code, stdout, stderr } = await run(...args);
    if (code === 0) return stdout.toString();
    throw new Error(`holdfast ${args.join(' ')} ended with ${code}\n${stderr}\n${stdout.toString()}`);
  };
  const verified: Scene['verified'] = async (...args) => {
    const { code, stdout } = await run('verify', '--json', ...args);
    return { code, all: copiesOf(stdout.toString()) };
  };
  return { file: (...segments) => [folder, ...segments].join('/'), run, ok, verified };
}

function copiesOf(output: string): readonly VerifiedCopy[] {
  return output.split('\n').flatMap((line) => {
    const record = (line === '' ? {} : JSON.parse(line)) as VerifiedCopy & { readonly message_type?: string };
    return record.message_type === 'verification' ? [record] : [];
  });
}

/** One repository whose key costs no time. */
export async function cheapNear(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await cheapRepository(`${folder}/near`);
}

export const near = 'repositories:\n  near: { url: DIR/near, password: { file: DIR/password } }\n';
const hourly = 'backups: { hourly: { every: 1h, to: { near: { keep: { last: 9 } } } } }';

/** A component of commands; `more` is the rest of `command:`. */
export function dumped(name: string, dump: string, more = '', checks = ''): string {
  const verify = checks === '' ? '' : `\n    verify: [{ every: 1d, checks: [${checks}] }]`;
  return `  ${name}:\n    command: { dump: ${JSON.stringify(dump)}${more} }\n    ${hourly}${verify}\n`;
}
