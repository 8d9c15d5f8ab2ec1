import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import type { Policy } from '../../policy/policy.ts';
import type { SandboxLimits } from '../../sandbox/sandbox.ts';

const hoursMs = 3_600_000;

/** What the policy says, else half of this host's memory, half of the disk's free space, and six hours a command. */
export async function limitsOf(sandbox: Policy['sandbox'], scratch: string): Promise<SandboxLimits> {
  const { bavail, bsize } = await statfs(scratch);
  return {
    memoryBytes: sandbox?.memory ?? Math.floor(totalmem() / 2),
    diskBytes: sandbox?.disk ?? Math.floor((bavail * bsize) / 2),
    timeMs: sandbox?.time?.ms ?? 6 * hoursMs,
  };
}
