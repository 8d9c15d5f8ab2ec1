import assert from 'node:assert/strict';
import { chmod, link, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { isFullBudget } from './budget.ts';
import { prove } from './support/proof.ts';
import { runOk } from './support/run-program.ts';
import { tempDir } from './support/temp-dir.ts';
import { sceneAt } from './support/verifying.ts';
import { cheapRepository } from './support/two-tools.ts';

type Fill = (folder: string) => Promise<void>;

/** What a folder may hold without being any the worse. */
const contents: Readonly<Record<string, Fill>> = {
  'nothing': async () => undefined,
  'empty-file': async (folder) => await writeFile(`${folder}/empty`, ''),
  'empty-folders': async (folder) => void (await mkdir(`${folder}/a/b/c`, { recursive: true })),
  'links': async (folder) => {
    await symlink('/nowhere/at/all', `${folder}/dangling`);
    await symlink('..', `${folder}/up`);
  },
  'pipe': async (folder) => void (await runOk('mkfifo', [`${folder}/pipe`])),
  'unicode': async (folder) => {
    for (const name of ['Grüße', 'gru\u0308ße', '日本', '🦔', ' leading', 'trailing '])
      await writeFile(`${folder}/${name}`, name);
  },
  'strange-names': async (folder) => {
    for (const name of ['line\nbreak', 'tab\t', '"quotes"', "it's", '$HOME', '*', '-rf', '\\', '%00'])
      await writeFile(`${folder}/${name}`, name);
  },
  'bytes-as-names': async (folder) =>
    await writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe, 0x41])]), 'x'),
  'long-name': async (folder) => await writeFile(`${folder}/${'n'.repeat(255)}`, 'x'),
  'deep': async (folder) => {
    await mkdir(`${folder}/${'d/'.repeat(60)}`, { recursive: true });
    await writeFile(`${folder}/${'d/'.repeat(60)}file`, 'x');
  },
  'big-file': async (folder) =>
    void (await runOk('sh', ['-c', 'head -c 20000000 /dev/urandom >"$1"', 'sh', `${folder}/big`])),
  'hole': async (folder) => {
    await writeFile(`${folder}/hole`, 'start');
    await truncate(`${folder}/hole`, 50_000_000);
  },
  'hard-links': async (folder) => {
    await writeFile(`${folder}/one`, 'shared');
    await link(`${folder}/one`, `${folder}/two`);
  },
  'modes': async (folder) => {
    for (const mode of [0o400, 0o4755, 0o2711, 0o600]) {
      await writeFile(`${folder}/${mode}`, 'x');
      await chmod(`${folder}/${mode}`, mode);
    }
  },
  'many': async (folder) => {
    for (let at = 0; at < 300; at++) await writeFile(`${folder}/${at}`, String(at));
  },
  'alike': async (folder) => {
    for (const name of ['a', 'b', 'c']) await writeFile(`${folder}/${name}`, 'same'.repeat(1000));
  },
};

const placesOf = (...names: readonly string[]): string =>
  `to: { ${names.map((name) => `${name}: { keep: { last: 9 } }`).join(', ')} }`;

function component(name: string, places: readonly string[] = ['near']): string {
  const checks = '{ name: same, checksums: snapshot }, { name: live, checksums: source }';
  return `  ${name}:
    files: { paths: [DIR/data/${name}] }
    backups: { r: { every: 1h, ${placesOf(...places)} } }
    verify:
      - { every: 1d, from: each, checks: [${checks}] }
      - { every: 1d, from: each, do: sample, files: 2, checks: [{ name: same, checksums: snapshot }] }
`;
}

const commands = `  dump:
    command: { dump: "head -c 3000000 /dev/urandom", filename: "dämp .sql", load: "sh -c 'cat >db'", check: "test -s db" }
    backups: { r: { every: 1h, ${placesOf('near', 'old')} } }
  only-dumped:
    command: { dump: "echo all" }
    backups: { r: { every: 1h, ${placesOf('near')} } }
  only-checked:
    command: { dump: "echo all", check: "grep -q all only-checked/dump" }
    backups: { r: { every: 1h, ${placesOf('near')} } }
  may-be-empty:
    command: { dump: "true", allow-empty: true, load: cat }
    backups: { r: { every: 1h, ${placesOf('near')} } }
  noisy:
    command: { dump: "echo all", start: "sh -c 'yes | head -c 5000000; sleep 1000 &'", load: "sh -c 'cat >&2'" }
    backups: { r: { every: 1h, ${placesOf('near')} } }
    verify: [{ every: 1d, checks: [{ name: in files, command: "pwd", equals: /run/holdfast }] }]
  stubborn:
    command: { dump: "seq 200000", load: "head -n 1" }
    backups: { r: { every: 1h, ${placesOf('near')} } }
`;

test('whatever is healthy is verified, in each copy, at every level', async (context) => {
  await using dir = await tempDir();
  await cheapRepository(dir.file('near'));
  await cheapRepository(dir.file('old'), 1);
  const names = Object.keys(contents);
  for (const [name, fill] of Object.entries(contents)) {
    await mkdir(dir.file('data', name), { recursive: true });
    await fill(dir.file('data', name));
  }
  await mkdir(dir.file('data/copied'));
  await writeFile(dir.file('data/copied/file'), 'first');
  const repositories = `repositories:
  near: { url: DIR/near, password: { file: DIR/password } }
  old: { url: DIR/old, password: { file: DIR/password } }
`;
  const components = `${names.map((name) => component(name)).join('')}${component('copied', ['near', 'old'])}${commands}`;
  const scene = await sceneAt(dir.path, `host: elsewhere\n${repositories}components:\n${components}`);
  const all = [...names, 'copied', 'dump', 'only-dumped', 'only-checked', 'may-be-empty', 'noisy', 'stubborn'];
  const asked = all.filter((name, at) => isFullBudget || at % 5 === 0 || name === 'copied');
  await scene.ok('backup', ...asked, '--compression', 'off');
  await writeFile(dir.file('data/copied/file'), 'second');
  await scene.ok('backup', 'copied', '--compression', 'max');
  // What happens to the live files afterwards says nothing of a copy.
  await writeFile(dir.file('data/copied/file'), 'third');
  await rm(dir.file('data/alike/a'));
  let copies = 0;
  for (const name of asked) {
    const found = await scene.verified(name);
    for (const { state } of found.all) assert.equal(state, 'verified', `${name}: ${JSON.stringify(found.all)}`);
    assert.equal(found.code, 0, name);
    copies += found.all.length;
  }
  prove(context, { claim: 'what is healthy is verified', count: `${asked.length} variants, ${copies} verifications` });
});
