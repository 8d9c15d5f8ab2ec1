import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir, type TempDir } from './support/temp-dir.ts';
import { cheapRepository } from './support/two-tools.ts';
import { near, sceneAt } from './support/verifying.ts';

/** What a verification says of each place, after a run of each rule in its order; `far` is of a kind of media. */
async function placesVerified(dir: TempDir, media: string, rules: readonly string[], verify: string): Promise<unknown> {
  for (const name of ['near', 'far']) await cheapRepository(dir.file(name));
  await mkdir(dir.file('data'));
  await writeFile(dir.file('data/file'), 'first\n');
  const names = rules.map((rule) => rule.split(':')[0] ?? '');
  const scene = await sceneAt(
    dir.path,
    `${near}  far: { url: DIR/far, password: { file: DIR/password }, media: ${media} }
components:
  uploads:
    files: { paths: [DIR/data] }
    backups: { ${rules.join(', ')} }
    verify: [${verify}]
`,
  );
  for (const name of names) await scene.ok('backup', 'uploads', '--rule', name);
  const { all } = await scene.verified('uploads');
  return all.map(({ repository, state }) => `${repository} ${state}`);
}

const hourlyIn = (places: string): string => `hourly: { every: 1h, to: { ${places} } }`;

test('each repository is proven by the newest point it holds, though a rule that runs often reaches but one', async () => {
  await using dir = await tempDir();
  const rules = [
    hourlyIn('near: { keep: { daily: 7 } }, far: { keep: { last: 1 } }'),
    'often: { every: 5m, to: { near: { keep: { last: 9 } } } }',
  ];
  const found = await placesVerified(dir, 'removable', rules, '{ every: 1d, from: each }');
  assert.deepEqual(found, ['near verified', 'far verified']);
});

test('a newer point that is in an archive alone takes the turn of no other', async () => {
  await using dir = await tempDir();
  const rules = [hourlyIn('near: { keep: { daily: 7 } }'), 'weekly: { every: 1w, to: { far: { keep: { last: 9 } } } }'];
  assert.deepEqual(await placesVerified(dir, 'archive', rules, '{ every: 1d }'), ['near verified']);
});
