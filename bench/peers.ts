import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { cached } from '../test/servers/cache.ts';
import { restic } from '../test/servers/restic.ts';
import { rustic } from '../test/servers/rustic.ts';
import { runOk } from '../test/support/run-program.ts';
import type { Paths } from './tools.ts';

/** Builds the wanted peers, each once a version, and tells where all programs stand. */
export async function peers(wanted: readonly string[]): Promise<Paths> {
  return {
    holdfast: resolve(import.meta.dirname, '../bin/holdfast'),
    restic: await restic('0.19.1'),
    kopia: wanted.includes('kopia') ? await kopia() : undefined,
    rustic: wanted.includes('rustic') ? await rustic() : undefined,
  };
}

const buildTimeoutMs = 60 * 60_000;

async function kopia(): Promise<string> {
  const folder = await cached('kopia-0.23.1', async (target) => {
    const words = ['module peers', 'go 1.25', 'tool github.com/kopia/kopia', 'require github.com/kopia/kopia v0.23.1'];
    await writeFile(join(target, 'go.mod'), `${words.join('\n')}\n`);
    await runOk('go', ['build', '-mod=mod', '-trimpath', '-o', 'kopia', 'github.com/kopia/kopia'], {
      cwd: target,
      env: { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GOWORK: 'off' },
      timeoutMs: buildTimeoutMs,
    });
  });
  return join(folder, 'kopia');
}
