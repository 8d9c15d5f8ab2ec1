import assert from 'node:assert/strict';
import { chmod, rm, symlink, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { budget, isFullBudget } from './budget.ts';
import { Search } from './support/canary/canaries.ts';
import { echoing, type Echo } from './support/canary/echoing.ts';
import { linesOf, type Line } from './support/canary/lines.ts';
import { plaintextsBelow, storedBelow } from './support/canary/places.ts';
import { canaries, canaryScene, type CanaryScene } from './support/canary/scene.ts';
import { served } from './support/served.ts';
import { tempDir } from './support/temp-dir.ts';

const search = new Search(Object.values(canaries));

/** One way in which everything fails. */
interface Failing {
  readonly what: string;
  /** The component that is asked for. */
  readonly of?: 'remote';
  readonly echo?: Echo;
  /** Spoils the host; resolves to what differs then. */
  readonly spoil?: (scene: CanaryScene, endpoint: string) => Promise<Spoilt>;
}

interface Spoilt {
  readonly env?: Readonly<Record<string, string>>;
}

const refused: readonly Failing[] = (isFullBudget ? [401, 403, 404, 500] : [403, 500]).map((status) => ({
  what: `servers answer ${status} and all that they were told`,
  of: 'remote',
  echo: { kind: 'status', status },
}));

const elsewhere = (what: string, to: (endpoint: string) => string): Failing => ({
  what,
  of: 'remote',
  spoil: async ({ dir, policy }, endpoint) => {
    await writeFile(dir.file('holdfast.yaml'), policy.replaceAll(endpoint, to(endpoint)));
    return {};
  },
});

/** The files of secrets that repositories are opened by. */
const files = ['secrets/near', 'secrets/far', 'secrets/secretKey', 'secrets/user', 'secrets/aws', 'credentials/shelf'];

const filesHold = (what: string, text: string): Failing => ({
  what,
  spoil: async ({ dir }) => {
    for (const file of files) await writeFile(dir.file(file), text);
    return { env: { SAFE_PASSWORD: text, WRITER_TOKEN: text } };
  },
});

const many = Object.values(canaries).map(({ value }) => value);

/** Each ends in the driver as the others do, and some after many attempts. */
const unreachable: readonly Failing[] = [
  { what: 'servers send us elsewhere', of: 'remote', echo: { kind: 'redirect' } },
  elsewhere('nobody listens', () => 'http://127.0.0.1:1'),
  elsewhere('servers don’t speak TLS', (endpoint) => endpoint.replace('http:', 'https:')),
  elsewhere('servers have no address', () => 'http://nowhere.invalid'),
];

const failings: readonly Failing[] = [
  ...refused,
  ...(isFullBudget ? unreachable : []),
  { what: 'servers answer what is no answer', of: 'remote', echo: { kind: 'malformed' } },
  filesHold('passwords are wrong', canaries.wrong.value),
  filesHold('secrets are empty', ''),
  filesHold('secrets are huge', canaries.wrong.value.repeat(100_000).slice(0, 100_000)),
  filesHold('secrets have several lines', many.join('\n')),
  filesHold('secrets hold bytes that no header takes', `${canaries.wrong.value}\r\n\u0001\ud7ff`),
  {
    what: 'secrets are missing',
    spoil: async ({ dir }) => {
      for (const file of files) await rm(dir.file(file));
      return { env: { SAFE_PASSWORD: '', WRITER_ID: '', CREDENTIALS_DIRECTORY: dir.file('nowhere') } };
    },
  },
  {
    what: 'secrets are folders, and links that lead nowhere',
    spoil: async ({ dir }) => {
      for (const file of files) await rm(dir.file(file));
      for (const file of files) await symlink(file === 'secrets/near' ? dir.path : dir.file(file), dir.file(file));
      return {};
    },
  },
  {
    what: 'commands that print secrets fail, and say them',
    spoil: async ({ dir, policy }) => {
      const tells = `#!/bin/sh\ncat ${dir.file('secrets/far')} >&2\ncat ${dir.file('secrets/far')}\nexit 7\n`;
      await writeFile(dir.file('bin/tells'), tells);
      await chmod(dir.file('bin/tells'), 0o755);
      const command = `{ command: "${dir.file('bin/tells')}" }`;
      const text = policy.replaceAll(/\{ (?:file|env|credential): [^}]*\}/g, command);
      await writeFile(dir.file('holdfast.yaml'), text);
      return {};
    },
  },
];

for (const [index, failing] of failings.entries()) {
  test(`no command tells a secret of a policy when ${failing.what}`, async () => {
    await using dir = await tempDir();
    await using server = await echoing();
    const scene = await canaryScene(dir, server.endpoint);
    const ready = await served(command(scene, {}, ['backup', 'files']));
    assert.equal(ready.code, 0, ready.stderr);
    server.echo = failing.echo ?? server.echo;
    const spoilt = (await failing.spoil?.(scene, server.endpoint)) ?? {};
    for (const line of turning(await linesOf('policy'), index)) {
      const about = failing.of ?? 'files';
      const told = line.map((word) => word.replace('SERVER', server.endpoint).replace('--all', about));
      await assertSilent(command(scene, spoilt, told));
    }
    await assertNothingStored(scene);
  });
}

/** In a sample each command has its turn at some failures; those that go everywhere meet all. */
function turning(lines: readonly Line[], turn: number): readonly Line[] {
  const step = budget.canaryStep;
  const always = ['backup', 'config check'];
  return lines.filter(
    (line, index) => (index + turn) % step === 0 || always.some((name) => `${line.join(' ')} `.startsWith(`${name} `)),
  );
}

type Command = Parameters<typeof served>[0];

function command(scene: CanaryScene, { env = {} }: Spoilt, line: Line): Command {
  const loud = line.length % 2 === 0 ? ['--json'] : ['--verbose=2'];
  return {
    args: [...scene.args, ...loud, ...line],
    env: { ...scene.env, ...env },
    cwd: scene.dir.path,
    pauses: 'none',
  };
}

async function assertSilent(asked: Command): Promise<void> {
  const { stdout, stderr } = await served(asked);
  const line = asked.args.join(' ');
  const found = [...search.in(`the output of ${line}`, stdout), ...search.in(`the errors of ${line}`, stderr)];
  assert.deepEqual(found, []);
}

async function assertNothingStored({ dir, homes }: CanaryScene): Promise<void> {
  assert.deepEqual(await storedBelow(dir.path, homes, search), []);
  for (const name of ['near', 'safe'] as const)
    assert.deepEqual(await plaintextsBelow(dir.file(name), canaries[name].value, search), []);
}
