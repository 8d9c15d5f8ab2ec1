import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { definedOf } from './support/holdfast.ts';
import type { RunResult } from './support/run-program.ts';
import { served } from './support/served.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';

/** Runs a command line; `connected` is there once anybody connects to the repository of -r, or of the policy. */
function runIn(dir: TempDir, ...before: readonly string[]): (line: string) => Promise<RunResult> {
  const unset = { HOLDFAST_CONFIG: undefined, RESTIC_REPOSITORY: undefined };
  const env = definedOf({ ...process.env, ...unset, RESTIC_PASSWORD: 'x', P: 'x' });
  const own = ['--cache-dir', dir.file('cache'), '--state-dir', dir.file('state'), ...before];
  return async (line) => await served({ args: [...own, ...line.split(' ')], cwd: dir.path, env, pauses: 'none' });
}

type Refused = readonly (readonly [line: string, says: RegExp])[];

async function assertNobodyConnects(
  dir: TempDir,
  run: ReturnType<typeof runIn>,
  { accepted, refused }: { readonly accepted: string; readonly refused: Refused },
): Promise<void> {
  const trace = dir.file('connected');
  await run(accepted);
  assert.equal(existsSync(trace), true, 'one that is not refused does');
  rmSync(trace);
  for (const [line, says] of refused) {
    const { code, stderr } = await run(line);
    assert.deepEqual([code, says.test(stderr), existsSync(trace)], [2, true, false], `${line}: ${stderr}`);
  }
}

test('a command line that is refused connects to no repository before: of -r', async () => {
  await using dir = await tempDir();
  const run = runIn(dir, '-r', 'sftp:nowhere:/x', '-o', `sftp.command=touch ${dir.file('connected')}`);
  const refused: Refused = [
    ['backup --all', /--all can’t stand beside a single repository/],
    ['backup --stdin /etc', /--stdin and paths can’t stand together/],
    ['snapshots --points', /--points can’t stand beside/],
    ['snapshots --group-by nothing', /nothing/],
    ['ls latest etc', /is not absolute/],
    ['ls latest --at yesterday', /--at can’t stand beside/],
    ['find --blob xyz', /is no ID/],
    ['diff a b c', /a component with two times/],
    ['dump latest / --from near', /--from can’t stand beside/],
    ['restore latest', /where to\?/],
    ['restore latest --target /r --timeline 2', /--timeline can’t stand beside/],
    ['restore latest --target /r --tablespace a=/b', /--tablespace can’t stand beside/],
    ['check --read-data --read-data-subset 1/7', /can’t stand together/],
    ['check --config holdfast.yaml', /--config can’t stand here/],
    ['forget --keep-within never', /never/],
    ['forget --rule daily', /--rule can’t stand beside/],
    ['prune --max-unused much', /--max-unused/],
    ['prune --max-unused 0x10%', /is not a part from 0% to below 100%/],
    ['prune --instant --deferred', /can’t stand together/],
    ['copy', /which source repository\?/],
    ['tag', /say --add, --remove or --set/],
    ['cat things', /is none of config/],
    ['list things', /is none of blobs/],
    ['repair packs 1', /not a pack's ID/],
    ['repair undelete', /to which time\?/],
    ['key add --new-password-file p --new-insecure-no-password', /can’t stand together/],
    ['unlock --repository near', /--repository can’t stand beside/],
    ['verify shop', /--repo can’t stand here/],
    ['status', /--repo can’t stand here/],
  ];
  await assertNobodyConnects(dir, run, { accepted: 'snapshots', refused });
});

test('a command line that is refused connects to no repository before: of a policy', async () => {
  await using dir = await tempDir();
  await writeFile(
    dir.file('holdfast.yaml'),
    `version: 1
repositories:
  near: { url: "sftp:nowhere:/x", password: { env: P }, options: { sftp.command: "touch ${dir.file('connected')}" } }
components:
  uploads:
    files: { paths: [/srv] }
    backups: { hourly: { every: 1h, to: { near: { keep: { last: 7 } } } } }
`,
  );
  const refused: Refused = [
    ['backup uploads nobody', /there is no component "nobody"/],
    ['backup uploads --rule weekly', /there is no rule "weekly"/],
    ['backup uploads --all', /components and --all can’t stand together/],
    ['backup uploads --exclude x', /--exclude can’t stand beside a policy/],
    ['backup uploads --tag hf.rule=x', /are Holdfast’s own/],
    ['backup uploads -p password', /--password-file can’t stand here/],
    ['snapshots uploads --host here', /--host can’t stand beside a policy/],
    ['ls uploads --path /srv', /--path can’t stand beside a policy/],
    ['find uploads', /find: what\?/],
    ['restore uploads', /where to\?/],
    ['restore uploads --target /r --host here', /--host can’t stand beside a policy/],
    ['forget uploads --keep-last 3', /--keep-last can’t stand beside a policy/],
    ['forget uploads --prune', /--prune can’t stand beside a policy/],
    ['forget uploads --no-lock', /--no-lock goes with --dry-run only/],
    ['copy uploads --from-repo /x', /--from-repo can’t stand beside a policy/],
    ['init --repository-version 1', /--repository-version can’t stand beside a policy/],
    ['verify uploads --latest --from near', /--from can’t stand beside a moment of a log/],
    ['verify uploads --timeline 2', /--timeline goes with what names a moment/],
    ['records --verify --csv', /--csv can’t stand beside the judging of chains/],
  ];
  await assertNobodyConnects(dir, runIn(dir), { accepted: 'backup uploads', refused });
});
