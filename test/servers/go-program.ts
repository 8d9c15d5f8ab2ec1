import { spawnSync } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { absent } from '../absences.ts';
import { runOk } from '../support/run-program.ts';
import { cached } from './cache.ts';

/** A program that Go builds from a locked module in this folder. */
export interface GoProgram {
  /** The name of the folder with go.mod and go.sum, and of the one in the cache. */
  readonly folder: string;
  readonly package: string;
  readonly name: string;
  /** What shows that the built program starts. */
  readonly version: readonly string[];
}

const buildTimeoutMs = 20 * 60_000;

/** Why a test can't run here that needs a program of Go's, or false. A build that fails is no absence. */
export function withoutGo(): string | false {
  return goTool() === undefined ? absent('go') : false;
}

/** The path of the program, built by its first user. */
export async function goProgram(program: GoProgram): Promise<string> {
  const folder = await cached(program.folder, async (target) => {
    const module = join(import.meta.dirname, program.folder);
    for (const name of ['go.mod', 'go.sum']) await copyFile(join(module, name), join(target, name));
    await runOk(goTool() ?? 'go', ['build', '-trimpath', '-o', program.name, program.package], {
      cwd: target,
      env: { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GOWORK: 'off' },
      timeoutMs: buildTimeoutMs,
    });
    await runOk(join(target, program.name), program.version);
  });
  return join(folder, program.name);
}

/** Go from the PATH, or from where its own installer puts it. */
function goTool(): string | undefined {
  return ['go', '/usr/local/go/bin/go'].find((tool) => spawnSync(tool, ['version'], { stdio: 'ignore' }).status === 0);
}
