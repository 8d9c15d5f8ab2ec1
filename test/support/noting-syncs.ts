import assert from 'node:assert/strict';
import { open, type FileHandle } from 'node:fs/promises';
import type { TestContext } from 'node:test';

/** How often a file or a folder was synced since. */
export async function notingSyncs({ mock }: TestContext): Promise<() => number> {
  await using handle = await open('/', 'r');
  const handles: unknown = Object.getPrototypeOf(handle);
  assert.ok(isHandle(handles));
  const { mock: sync } = mock.method(handles, 'sync');
  return () => sync.callCount();
}

function isHandle(value: unknown): value is FileHandle {
  return typeof value === 'object' && value !== null && 'sync' in value;
}
