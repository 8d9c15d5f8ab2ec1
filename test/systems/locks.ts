import assert from 'node:assert/strict';
import type { Stage } from './stage.ts';

const slackMs = 3_600_000;

/**
 * What a repository with `lock:` holds of components can't be removed by anybody for as long as the policy says, read
 * from the server itself.
 */
export async function verifyLocks(stage: Stage, components: readonly string[]): Promise<void> {
  const { policy, ok, live, clock } = stage;
  const locked = Object.entries(policy.repositories).filter(([, { lock }]) => lock !== undefined);
  for (const [, { url, lock }] of locked) {
    const at = ['-r', url, '--password-file', live('/etc/holdfast/password')];
    const tags = components.flatMap((component) => ['--tag', `hf.component=${component}`]);
    const said = await ok(['check', '--locks', ...at, ...tags, '-o', `s3.lock=${lock?.for.text}`]);
    const until = /immutable until (\S+),/.exec(said)?.[1] ?? assert.fail(said);
    const leftMs = Temporal.Instant.from(until).epochMilliseconds - Number(clock.nowNs() / 1_000_000n);
    assert.ok(leftMs > (lock?.for.ms ?? 0) - slackMs, said);
  }
}
