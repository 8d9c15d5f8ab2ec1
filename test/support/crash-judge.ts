import assert from 'node:assert/strict';
import type { Operation } from './crash-operations.ts';
import type { Health } from './engine.ts';

/** Check finds nothing that it didn't find before, and no snapshot is lost that wasn't to go. */
export function assertHealthy(now: Health, before: Health, operation: Operation, where: string): void {
  assert.deepEqual(newFindings(now, before), [], where);
  const [wanted, there] = operation.mayRename ? [before.trees, now.trees] : [before.snapshots, now.snapshots];
  for (const [position, id] of wanted.entries()) {
    assert.ok(there.some((one) => one === id) || operation.mayRemove?.(position) === true, `${where}: ${id} is lost`);
  }
}

export function newFindings(now: Health, before: Health): readonly string[] {
  return now.findings.filter((finding) => !before.findings.includes(finding));
}
