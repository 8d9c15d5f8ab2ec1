import assert from 'node:assert/strict';
import { chmod, cp, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { budget } from './budget.ts';
import { Search } from './support/canary/canaries.ts';
import { echoing, type EchoingServer } from './support/canary/echoing.ts';
import { linesOf } from './support/canary/lines.ts';
import { storedBelow } from './support/canary/places.ts';
import { canaries, canaryScene, type CanaryScene } from './support/canary/scene.ts';
import { served } from './support/served.ts';
import { tempDir } from './support/temp-dir.ts';

const search = new Search(Object.values(canaries));

/** What is said of a repository, and of how it is opened; resolves with the environment. */
interface Opening {
  readonly what: string;
  readonly given: (scene: CanaryScene, server: EchoingServer) => Promise<Readonly<Record<string, string>>>;
}

const wrong = { RESTIC_PASSWORD: canaries.wrong.value };
const login = encodeURIComponent(canaries.user.value);
const keys = {
  AWS_ACCESS_KEY_ID: canaries.keyId.value,
  AWS_SECRET_ACCESS_KEY: canaries.secretKey.value,
  AWS_SESSION_TOKEN: canaries.token.value,
  HOLDFAST_DELETE_ACCESS_KEY_ID: canaries.keyId.value,
  HOLDFAST_DELETE_SECRET_ACCESS_KEY: canaries.removerKey.value,
  HOLDFAST_DELETE_SESSION_TOKEN: canaries.removerToken.value,
};
const own = { RESTIC_PASSWORD: canaries.near.value };

const openings: readonly Opening[] = [
  { what: 'all is well', given: async ({ dir }) => ({ ...own, RESTIC_REPOSITORY: dir.file('near') }) },
  { what: 'its password is wrong', given: async ({ dir }) => ({ ...wrong, RESTIC_REPOSITORY: dir.file('near') }) },
  {
    what: 'a command that prints its password fails',
    given: async ({ dir }) => {
      await writeFile(dir.file('bin/tells'), `#!/bin/sh\ncat ${dir.file('secrets/near')} | tee /dev/stderr\nexit 1\n`);
      await chmod(dir.file('bin/tells'), 0o755);
      return { RESTIC_REPOSITORY: dir.file('near'), RESTIC_PASSWORD_COMMAND: dir.file('bin/tells') };
    },
  },
  {
    what: 'a REST server repeats the login of its address',
    given: async (_, { endpoint }) => ({
      ...own,
      RESTIC_REPOSITORY: `rest:${endpoint.replace('//', `//ann:${login}@`)}/`,
    }),
  },
  {
    what: 'a REST server repeats the login of the environment',
    given: async (_, { endpoint }) => ({
      ...own,
      RESTIC_REPOSITORY: `rest:${endpoint}/`,
      RESTIC_REST_USERNAME: 'ann',
      RESTIC_REST_PASSWORD: canaries.user.value,
    }),
  },
  {
    what: 'an S3 server repeats what its keys made',
    given: async (_, { endpoint }) => ({ ...own, ...keys, RESTIC_REPOSITORY: `s3:${endpoint}/b` }),
  },
  {
    what: 'a program that gives keys of S3 fails, and tells them',
    given: async ({ dir }, { endpoint }) => {
      const tells = `sh -c "echo ${canaries.pruner.core} | tee /dev/stderr; exit 1"`;
      await writeFile(dir.file('secrets/aws'), `[default]\ncredential_process = ${tells}\n`);
      return { ...own, RESTIC_REPOSITORY: `s3:${endpoint}/b` };
    },
  },
  {
    what: 'SSH says all that it was given',
    given: async () => ({ ...own, RESTIC_REPOSITORY: 'sftp:host:/srv' }),
  },
  {
    what: 'rclone says all that it was given',
    given: async () => ({ ...own, RESTIC_REPOSITORY: `rclone::s3,secret_access_key=${canaries.secretKey.core}:b` }),
  },
];

for (const [turn, { what, given }] of openings.entries()) {
  test(`no command on one repository tells a secret when ${what}`, async () => {
    await using dir = await tempDir();
    await using server = await echoing();
    const scene = await canaryScene(dir, server.endpoint);
    await cp(dir.file('near'), dir.file('other'), { recursive: true });
    const environment = { ...scene.env, ...(await given(scene, server)) };
    const programs = [
      '-o',
      `sftp.command=${dir.file('bin/connect')} x`,
      '-o',
      `rclone.program=${dir.file('bin/connect')}`,
    ];
    const lines = await linesOf('repository');
    for (const [index, line] of lines.entries()) {
      if ((index + turn) % budget.canaryStep !== 0 && line[0] !== 'backup') continue;
      const loud = index % 2 === 0 ? ['--json'] : ['-vv'];
      const told = line.map((word) => (word === 'REPOSITORY' ? (environment['RESTIC_REPOSITORY'] ?? '') : word));
      const asked = { args: [...scene.args, ...programs, ...loud, ...told], env: environment, cwd: dir.path };
      const { stdout, stderr } = await served({ ...asked, pauses: 'none' });
      assert.deepEqual(search.in(`the output of ${line.join(' ')}`, stdout), []);
      assert.deepEqual(search.in(`the errors of ${line.join(' ')}`, stderr), []);
    }
    assert.deepEqual(await storedBelow(dir.path, scene.homes, search), []);
  });
}
