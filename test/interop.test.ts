import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { damage, work } from '../scripts/first-backup/changes.ts';
import { differences, inventoryOf } from '../scripts/first-backup/inventory.ts';
import { makeOriginals } from '../scripts/first-backup/originals.ts';
import { budget } from './budget.ts';
import { resticOk, withoutRestic, type ResticVersion } from './servers/restic.ts';
import { holdfastOk } from './support/holdfast.ts';
import { prove } from './support/proof.ts';
import { tempDir } from './support/temp-dir.ts';
import { cheapRepository } from './support/two-tools.ts';

const versions: readonly ResticVersion[] = ['0.14', '0.19.1'];
const noErrors = /no errors were found/;

for (const version of versions) {
  const options = { skip: withoutRestic(version), timeout: 300_000 };

  test(`what Holdfast writes, restic ${version} checks and restores byte for byte`, options, async (context) => {
    await using dir = await tempDir();
    const at = { repository: dir.file('repository'), password: 'two tools' };
    makeOriginals(dir.file('originals'), budget.originalsShare);
    await holdfastOk(at, ['init']);
    await holdfastOk(at, ['backup', dir.file('originals')]);
    work(dir.file('originals'));
    await holdfastOk(at, ['backup', dir.file('originals')]);
    const wanted = inventoryOf(dir.file('originals'));
    assert.match(await resticOk(version, at, ['check', '--read-data']), noErrors);
    await resticOk(version, at, ['restore', 'latest', '--target', dir.file('restored')]);
    const found = inventoryOf(join(dir.file('restored'), dir.file('originals')));
    assert.deepEqual(differences(wanted, found), []);
    prove(context, { claim: `restic ${version} reads what Holdfast writes`, count: `${wanted.size} files` });
  });

  test(`what restic ${version} writes, Holdfast checks and restores byte for byte`, options, async (context) => {
    await using dir = await tempDir();
    const at = { repository: dir.file('repository'), password: 'two tools' };
    makeOriginals(dir.file('originals'), budget.originalsShare);
    await resticOk(version, at, ['init']);
    await resticOk(version, at, ['backup', dir.file('originals')]);
    const wanted = inventoryOf(dir.file('originals'));
    damage(dir.file('originals'));
    await holdfastOk(at, ['check', '--read-data']);
    await holdfastOk(at, ['restore', 'latest', '--target', dir.file('restored')]);
    const found = inventoryOf(join(dir.file('restored'), dir.file('originals')));
    assert.deepEqual(differences(wanted, found), []);
    prove(context, { claim: `Holdfast reads what restic ${version} writes`, count: `${wanted.size} files` });
  });

  test(`Holdfast and restic ${version} find each other's blobs and snapshots`, options, async () => {
    await using dir = await tempDir();
    const at = { repository: dir.file('repository'), password: 'two tools' };
    makeOriginals(dir.file('originals'), budget.originalsShare);
    // Named from inside: the folders above it change with every file that anybody puts there.
    const inside = { cwd: dir.file('.') };
    await cheapRepository(at.repository, 2, at.password);
    await resticOk(version, at, ['backup', 'originals'], inside);
    const ours = summaryOf(await holdfastOk(at, ['backup', '--force', '--json', 'originals'], inside));
    assert.equal(ours['data_blobs'], 0, 'every data blob was there already');
    const theirs = summaryOf(await resticOk(version, at, ['backup', '--json', 'originals'], inside));
    assert.equal(theirs['files_changed'], 0);
    assert.equal(theirs['files_new'], 0, 'restic takes our snapshot for a parent');
    assert.equal(theirs['data_blobs'], 0);
    if (version === '0.19.1') assert.equal(theirs['tree_blobs'], 0, 'every tree is written as restic writes it');
    const snapshots: unknown = JSON.parse(await holdfastOk(at, ['snapshots', '--json']));
    assert.ok(Array.isArray(snapshots) && snapshots.length === 3);
    assert.match(await resticOk(version, at, ['check', '--read-data']), noErrors);
  });

  test(`Holdfast forgets and prunes what restic ${version} wrote, and restic goes on`, options, async () => {
    await using dir = await tempDir();
    const at = { repository: dir.file('repository'), password: 'two tools' };
    makeOriginals(dir.file('originals'), budget.originalsShare);
    await cheapRepository(at.repository, 2, at.password);
    await resticOk(version, at, ['backup', dir.file('originals')]);
    rmSync(dir.file('originals'), { recursive: true });
    mkdirSync(dir.file('originals'));
    makeOriginals(join(dir.file('originals'), 'moved'), budget.originalsShare);
    work(join(dir.file('originals'), 'moved'));
    await resticOk(version, at, ['backup', dir.file('originals')]);
    const wanted = inventoryOf(dir.file('originals'));
    await holdfastOk(at, ['forget', '--keep-last', '1', '--prune', '--max-unused', '0']);
    assert.match(await resticOk(version, at, ['check', '--read-data']), noErrors);
    await resticOk(version, at, ['restore', 'latest', '--target', dir.file('restored')]);
    assert.deepEqual(differences(wanted, inventoryOf(join(dir.file('restored'), dir.file('originals')))), []);
    await resticOk(version, at, ['backup', dir.file('originals')]);
  });
}

function summaryOf(output: string): Record<string, unknown> {
  const lines = output.trim().split('\n');
  return JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>;
}
