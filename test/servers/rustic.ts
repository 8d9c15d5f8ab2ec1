import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { absent } from '../absences.ts';
import { isFullBudget } from '../budget.ts';
import { runOk } from '../support/run-program.ts';
import { cached, isCached } from './cache.ts';

const folderName = 'rustic-0.11.4';
const buildTimeoutMs = 60 * 60_000;

/** Why a test with rustic can't run here, or false: to build it takes so long that only the full run does. */
export function withoutRustic(): string | false {
  if (isCached(folderName) || (isFullBudget && startsCargo())) return false;
  return absent('rustic');
}

/** The path of the real program, built by its first user. */
export async function rustic(): Promise<string> {
  const folder = await cached(folderName, async (target) => {
    const what = ['install', 'rustic-rs', '--version', '0.11.4', '--locked', '--no-default-features'];
    await runOk('cargo', [...what, '--root', target], { timeoutMs: buildTimeoutMs });
  });
  return join(folder, 'bin', 'rustic');
}

function startsCargo(): boolean {
  return spawnSync('cargo', ['--version'], { stdio: 'ignore' }).status === 0;
}
