import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { absent } from './absences.ts';
import type { DiskTrial } from './support/disk-trial.ts';
import { runOk } from './support/run-program.ts';
import { tempDir } from './support/temp-dir.ts';

const skip = process.getuid?.() === 0 && process.platform === 'linux' ? false : absent('root');

test(
  'a full, read-only, foreign or unmounted disk is said so, and an unmounted one is never filled',
  { skip },
  async () => {
    await using dir = await tempDir();
    await mkdir(dir.file('disk'));
    const script = join(import.meta.dirname, 'support/disk-trial.ts');
    const output = await runOk('unshare', ['--mount', process.execPath, script, dir.file('disk')]);
    const trial = JSON.parse(output.toString()) as DiskTrial;
    assert.deepEqual(trial, {
      full: 'storage-full',
      denied: 'storage-denied',
      files: ['kept'],
      readOnlyPut: 'storage-read-only',
      readOnlyRemove: 'storage-read-only',
      unmountedPut: 'storage-missing',
      unmountedGet: 'storage-missing',
      unmountedList: 'storage-missing',
      mountPoint: [],
    } satisfies DiskTrial);
  },
);
