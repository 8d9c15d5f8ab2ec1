import { outputOf } from './output-of.ts';

/**
 * Copies a file, a link or a folder with all that is in it, and whatever can be kept of it, to that very path, where nothing
 * is. A link or a file that came there meanwhile makes way on Linux, and is not written through.
 */
export async function copyTree(from: string, to: string, signal: AbortSignal): Promise<void> {
  const there = process.platform === 'linux' ? ['-T', '--remove-destination'] : [];
  await outputOf('cp', ['-a', ...there, '--', from, to], signal, 'unheard');
}
