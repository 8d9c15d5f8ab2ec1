import { arityOf } from '../../../src/cli/arity.ts';
import { allCommands } from '../../../src/cli/commands.ts';

/** A command line without what says where: the words of the command, then its arguments. */
export type Line = readonly string[];

/** What a command is asked where its bare name would say too little. A command that isn't named here gets words. */
const ofPolicy: Readonly<Record<string, Line>> = {
  'backup': ['--all'],
  'snapshots': ['--points'],
  'copy': ['--all'],
  'forget': ['--all'],
  'verify': ['--all'],
  'restore': ['files', '--target', 'restored'],
  'records': ['--verify'],
  'doctor storage': ['s3:SERVER/bucket'],
};

const ofRepository: Readonly<Record<string, Line>> = {
  'backup': ['data'],
  'restore': ['latest', '--target', 'restored'],
  'dump': ['latest', '/'],
  'copy': ['--from-repo', 'other', '--from-password-file', 'secrets/near'],
  'cat': ['config'],
  'list': ['snapshots'],
  'forget': ['--keep-last', '9'],
  'tag': ['--add', 'seen'],
  'key add': ['--new-password-file', 'secrets/near'],
  'key passwd': ['--new-password-file', 'secrets/near'],
  'doctor storage': ['REPOSITORY'],
};

/** Every command of the program, a new one too: by a policy, or on one repository. */
export async function linesOf(world: 'policy' | 'repository'): Promise<readonly Line[]> {
  const known = world === 'policy' ? ofPolicy : ofRepository;
  return (await allCommands()).map(({ name, operands }) => [
    ...name.split(' '),
    ...(known[name] ?? Array.from({ length: arityOf(operands).least }, () => 'latest')),
  ]);
}
