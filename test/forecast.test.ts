import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from './support/temp-dir.ts';
import { cheapNear, near, sceneAt } from './support/verifying.ts';

interface Forecast {
  readonly state: string;
  readonly seconds?: number;
  readonly measurements: number;
  readonly past_error?: { readonly compared: number } | null;
}

interface Told {
  readonly message_type: string;
  readonly forecast?: Forecast;
  readonly stages?: Readonly<Record<string, number>>;
  readonly expected?: readonly (Forecast & { readonly repository: string })[];
  readonly copies?: Told['expected'];
  readonly objectives?: readonly { readonly objective: string; readonly state: string; readonly reached: string }[];
}

function told(output: string, type: string): Told {
  const records = output
    .split('\n')
    .flatMap((line): readonly Told[] => (line === '' ? [] : [JSON.parse(line) as Told]));
  return records.find(({ message_type: name }) => name === type) ?? assert.fail(`no ${type} in ${output}`);
}

test('verifications forecast a real restore, in status, in verify and before a restore in place', async () => {
  await using dir = await tempDir();
  await cheapNear(dir.path);
  await mkdir(dir.file('data'));
  await writeFile(dir.file('data/file'), 'text');
  const policy = `${near}tiers: { t: { rpo: 1d, rto: 1h } }
components:
  shop: { tier: t, files: { paths: [DIR/data] }, backups: { r: { every: 1h, to: { near: { keep: { last: 9 } } } } } }
`;
  const scene = await sceneAt(dir.path, policy);
  await scene.ok('backup', 'shop');
  const forecasts: Forecast[] = [];
  for (let round = 0; round < 5; round += 1) {
    const { forecast, stages } = told(await scene.ok('verify', 'shop', '--json'), 'verification');
    assert.deepEqual(Object.keys(stages ?? {}).toSorted(), ['check', 'fetch', 'find', 'start']);
    forecasts.push(forecast ?? assert.fail());
  }
  assert.deepEqual(
    forecasts.map(({ state, measurements }) => `${state} ${measurements}`),
    ['unknown 0', 'unknown 1', 'unknown 2', 'known 3', 'known 4'],
  );
  assert.deepEqual(
    forecasts.slice(3).map((one) => one.past_error?.compared),
    [undefined, 1],
  );
  const status = told(await scene.ok('status', 'shop', '--json'), 'status');
  const [nearest] = status.expected ?? [];
  assert.deepEqual([nearest?.repository, nearest?.state, nearest?.measurements], ['near', 'known', 5]);
  assert.equal(nearest?.past_error?.compared, 2);
  assert.match(
    status.objectives?.find(({ objective }) => objective === 'rto')?.reached ?? '',
    / measured, .* forecast from near/,
  );
  assert.match(
    await scene.ok('status', 'shop'),
    /near +restored and checked .* ago .*\(past error .* 2 verifications\)/,
  );
  const inPlace = ['restore', 'shop', '--in-place', '--dry-run'];
  assert.match(await scene.ok(...inPlace), /expected: .*2 verifications\) to bring it back from near/);
  assert.deepEqual(told(await scene.ok(...inPlace, '--json'), 'expected').copies?.[0], nearest);
});

test('what was measured in a place that holds nothing of the component any more is no RTO', async () => {
  await using dir = await tempDir();
  await cheapNear(dir.path);
  await mkdir(dir.file('data'));
  await writeFile(dir.file('data/file'), 'text');
  const rule = 'backups: { r: { every: 1h, to: { near: { keep: { last: 9 } } } } }';
  const scene = await sceneAt(
    dir.path,
    `${near}tiers: { t: { rto: 1h } }\ncomponents:\n  shop: { tier: t, files: { paths: [DIR/data] }, ${rule} }\n`,
  );
  const rto = async (): Promise<string> => {
    const { stdout } = await scene.run('status', 'shop', '--json');
    const { objectives } = told(stdout.toString(), 'status');
    return objectives?.find(({ objective }) => objective === 'rto')?.state ?? '';
  };
  await scene.ok('backup', 'shop');
  await scene.ok('verify', 'shop');
  assert.equal(await rto(), 'met');
  await scene.ok('forget', 'latest', '-r', dir.file('near'), '--password-file', dir.file('password'));
  assert.equal(await rto(), 'unknown');
});
