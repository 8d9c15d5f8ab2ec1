import { mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

/**
 * The program. Modules are compiled once and kept in the user's own cache folder (never the shared /tmp, where
 * another user could plant one), and only what a command needs is loaded. The one file in JavaScript: it is compiled
 * before there is a cache, and for a single TypeScript file Node would load its compiler, 90 ms and 20 MiB.
 */
const cacheHome = process.env['XDG_CACHE_HOME'] ?? (process.env['HOME'] && join(process.env['HOME'], '.cache'));
if (cacheHome) {
  const folder = join(cacheHome, 'holdfast', 'compiled');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    enableCompileCache(folder);
  } catch {
    // A home that can't be written costs some 100 ms at each start, nothing else.
  }
}
// A report of a crash, where somebody asks Node for them, has no use for passwords.
process.report.excludeEnv = true;
const { main } = await import('./cli/main.ts');
process.exit(await main(process.argv.slice(2), { ...process.env }));
