import { spawnSync } from 'node:child_process';
import { readdirSync, renameSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './tree.ts';

/**
 * Compiles each wasm/<name>.ts (AssemblyScript) to wasm/<name>.wasm where that is missing or older than any source.
 * Run by npm's `prepare` and before the tests.
 */
const folder = join(root, 'wasm');

function sources(): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** The compiler's program, or undefined where devDependencies are not installed. */
function compiler(): string | undefined {
  try {
    return fileURLToPath(import.meta.resolve('assemblyscript/bin/asc.js'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

function compile(asc: string, source: string): boolean {
  const target = join(folder, `${basename(source, '.ts')}.wasm`);
  const temporary = `${target}.${process.pid}.tmp`;
  const options = [
    '-O3',
    '--noAssert',
    '--runtime',
    'stub',
    '--enable',
    'simd',
    '--enable',
    'relaxed-simd',
    '--outFile',
    temporary,
  ];
  const { status } = spawnSync(process.execPath, [asc, join(folder, source), ...options], { stdio: 'inherit' });
  if (status === 0) renameSync(temporary, target);
  return status === 0;
}

function modifiedMs(name: string): number {
  return statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

const all = sources();
const newestMs = Math.max(...all.map(modifiedMs));
const found = all.filter((source) => modifiedMs(source.replace(/ts$/, 'wasm')) <= newestMs);
const asc = compiler();
if (found.length > 0 && asc === undefined) {
  console.log('wasm: not built: the compiler is a development dependency, and those are not installed');
} else if (asc !== undefined) {
  const failed = found.filter((source) => !compile(asc, source));
  if (failed.length > 0) throw new Error(`wasm: ${failed.join(', ')} did not compile`);
  if (found.length > 0) console.log(`wasm: built ${found.join(', ')}`);
}
