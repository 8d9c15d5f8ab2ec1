import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { sourceKinds, type SourceKind } from '../../../src/source/kinds.ts';
import { elsewhereKind, placeFile, setMood } from '../elsewhere.ts';
import type { SourceSubject } from './subject.ts';
import { component } from './trial.ts';

function ownKind(name: string): SourceKind {
  const { [name]: kind } = sourceKinds;
  if (kind === undefined) throw new Error(`there is no kind ${name}`);
  return kind;
}

const texts = { 'live/a': 'first', 'live/a.b/deep/file': 'second', 'live/z': '', 'other': 'third' };

export const filesSubject: SourceSubject = {
  name: 'files',
  kind: ownKind('files'),
  prepare: async (folder) => {
    await mkdir(`${folder}/live/a.b/deep`, { recursive: true });
    for (const [name, text] of Object.entries(texts)) await writeFile(`${folder}/${name}`, text);
    return { paths: [`${folder}/live`, `${folder}/other`] };
  },
  reading: {
    isSteady: true,
    expected: (folder) =>
      new Map(Object.entries(texts).map(([name, text]) => [`${folder}/${name}`.slice(1), Buffer.from(text)])),
    spoil: async (folder) => await rm(`${folder}/other`),
    empty: async (folder) => {
      await rm(`${folder}/other`, { force: true });
      await rm(`${folder}/live`, { recursive: true });
    },
    takeAway: async (folder) => {
      await rm(`${folder}/other`);
      return `${folder}/other`;
    },
  },
};

const secret = 'kanarienvogel';
const dumped = Buffer.from(`live data\n${'row\n'.repeat(1000)}`);

async function script(path: string, ...lines: readonly string[]): Promise<void> {
  await writeFile(path, ['#!/bin/sh', ...lines, ''].join('\n'));
  await chmod(path, 0o755);
}

export const commandSubject: SourceSubject = {
  name: 'command',
  kind: ownKind('command'),
  secret,
  prepare: async (folder) => {
    await writeFile(`${folder}/live`, dumped);
    await script(`${folder}/dump`, `cat ${folder}/live`);
    return { dump: `${folder}/dump --token ${secret}` };
  },
  reading: {
    isSteady: true,
    expected: () => new Map([[`${component}/dump`, dumped]]),
    spoil: async (folder) => await script(`${folder}/dump`, `head -c 100 ${folder}/live`, 'exit 3'),
    empty: async (folder) => await script(`${folder}/dump`, 'exit 0'),
    allowingEmpty: (options) => ({ ...(options as object), 'allow-empty': true }),
    hang: async (folder) => {
      await script(`${folder}/dump`, 'echo begun', `echo $$ > ${folder}/pid`, 'exec sleep 1000');
      return () =>
        existsSync(`${folder}/pid`) && existsSync(`/proc/${readFileSync(`${folder}/pid`, 'utf8').trim()}/cwd`);
    },
    takeAway: async (folder) => {
      await rm(`${folder}/dump`);
      return `${folder}/dump`;
    },
    rehearsed: {
      options: (folder) => ({ dump: `${folder}/dump`, load: 'sh -c "cat > loaded"', check: 'grep -q live loaded' }),
      damage: async (restored) => await writeFile(`${restored}/${component}/dump`, 'something else'),
    },
  },
};

export const elsewhereSubject: SourceSubject = {
  name: 'points held elsewhere',
  kind: elsewhereKind,
  secret,
  prepare: async (folder) => {
    for (const name of ['live', 'here', 'there']) await mkdir(`${folder}/${name}`);
    await writeFile(`${folder}/live/index`, 'live data');
    return { folder, places: ['here', 'there'], token: secret };
  },
  external: {
    empty: async (folder) => {
      await rm(`${folder}/live`, { recursive: true });
      await mkdir(`${folder}/live`);
    },
    spoil: async (folder) => await mkdir(`${folder}/live/unreadable`),
    vanish: async (folder, place, identity) => await rm(placeFile(folder, place, identity)),
    damage: async (folder, place, identity) => {
      const path = placeFile(folder, place, identity);
      await writeFile(path, (await readFile(path, 'utf8')).replace(/"data":"./, '"data":"/'));
    },
    silence: setMood,
  },
};
