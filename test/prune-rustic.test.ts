import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rustic, withoutRustic } from './servers/rustic.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import {
  assertFinishes,
  assertWhole,
  beginBackup,
  pruneADayAgo,
  prunes,
  stage,
  type Program,
} from './support/beside.ts';
import type { RepositoryAt } from './support/holdfast.ts';
import { prove } from './support/proof.ts';
import { runProgram } from './support/run-program.ts';

const skip = withoutRestic('0.19.1') || withoutRustic();
const timeout = 3_600_000;

async function rusticProgram(): Promise<Program> {
  return {
    path: await rustic(),
    args: (name) => ['--no-progress', 'backup', '-', '--stdin-filename', name, '--tag', name],
    env,
  };
}

function env({ repository, password }: RepositoryAt): Readonly<Record<string, string>> {
  const quiet = { RUSTIC_NO_CACHE: 'true', RUSTIC_LOG_LEVEL: 'error', HOME: repository };
  return { ...quiet, RUSTIC_REPOSITORY: repository, RUSTIC_PASSWORD: password };
}

/** It tells what it does on standard error. */
async function rusticSays(at: RepositoryAt, args: readonly string[]): Promise<string> {
  const options = { env: { ...env(at), RUSTIC_LOG_LEVEL: 'info' } };
  const { code, stderr } = await runProgram(await rustic(), ['--no-progress', ...args], options);
  assert.equal(code, 0, stderr);
  return stderr;
}

test(
  'a rustic backup that goes on from before the mark until after the drop gets its packs back',
  { skip, timeout },
  async (context) => {
    await using on = await stage();
    const running = await beginBackup(await rusticProgram(), on.at, 'gone');
    assert.doesNotMatch(await prunes(on.at), /others are at work/);
    await running.end();
    assert.match(await prunes(on.at), /taken back into the index/);
    await assertWhole(on.at, ['kept', 'gone']);
    await assertFinishes(on.at, ['kept', 'gone']);
    prove(context, { claim: 'prune: a rustic backup throughout mark and drop', count: 'whole' });
  },
);

test(
  'a rustic backup between the drop and the deletion stores anew what it needs',
  { skip, timeout },
  async (context) => {
    await using on = await stage();
    await pruneADayAgo(on.at);
    await (await beginBackup(await rusticProgram(), on.at, 'gone')).end();
    const output = await prunes(on.at);
    assert.match(output, /not needed for a day: deleted/);
    assert.doesNotMatch(output, /taken back/);
    await assertFinishes(on.at, ['kept', 'gone']);
    prove(context, { claim: 'prune: a rustic backup between the drop and the deletion', count: 'whole' });
  },
);

test(
  'a rustic prune between the drop and the deletion keeps what we dropped, and we what rustic marks',
  { skip, timeout },
  async (context) => {
    await using on = await stage();
    await prunes(on.at);
    const said = await rusticSays(on.at, ['prune']);
    assert.match(said, /keep marked: +[1-9]/);
    await on.backUp('other');
    await resticOk('0.19.1', on.at, ['forget', '-q', '--unsafe-allow-remove-all', '--tag', 'other']);
    await rusticSays(on.at, ['prune', '--max-unused', '0B']);
    await prunes(on.at);
    await assertFinishes(on.at, ['kept']);
    prove(context, { claim: 'prune: a rustic prune between the drop and the deletion', count: 'whole' });
  },
);
