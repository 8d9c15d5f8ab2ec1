import { arch, platform } from 'node:os';
import type { Run } from '../command.ts';
import { programVersion } from '../program.ts';

/** What Go calls them, as restic's scripts expect. */
const goArch: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

export const run: Run<{}> = async (_invocation, { console }) => {
  const facts = { version: programVersion(), node_version: process.version, os: platform(), arch: arch() };
  if (console.form === 'json') {
    console.record({
      message_type: 'version',
      go_version: '',
      go_os: facts.os,
      go_arch: goArch[facts.arch] ?? facts.arch,
      ...facts,
    });
  } else {
    console.say(`holdfast ${facts.version} with Node ${facts.node_version} on ${facts.os}/${facts.arch}`);
  }
  return 0;
};
