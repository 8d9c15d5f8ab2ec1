import { HoldfastError } from '../errors/error.ts';
import { goesByPolicy } from './by-policy.ts';
import type { Context } from './context.ts';
import { flagName, type Given, type Options, type Values } from './option.ts';

/** 'anything': a command works on nothing, but what names a repository or a policy is let pass, as by restic. */
export type WorksOn = 'a repository' | 'a policy' | 'either' | 'nothing' | 'anything';

/** By what a command finds what it works on: a policy, or the one repository of -r. */
export type By = 'repository' | 'policy';

/** The things that a command does, each named by what is said with it, and the options that mean something there. */
export interface Ways<O extends Options = Options> {
  /** Which of them is meant. */
  of(values: Values<O>, by: By): string;
  readonly heeds: Readonly<Record<string, readonly (keyof O & string)[]>>;
}

export const singleRepository = 'a single repository (-r)';
export const aPolicy = 'a policy';

/** Of a command that works on either: what means something by a policy alone, or in both. All else is refused beside a policy. */
export function eitherWay<const O extends Options>(
  options: O,
  { policy, both }: Readonly<Record<'policy' | 'both', readonly (keyof O & string)[]>>,
): Ways<O> {
  const ofPolicy: readonly string[] = policy;
  const all: readonly (keyof O & string)[] = Object.keys(options);
  return {
    of: (_values, by) => (by === 'policy' ? aPolicy : singleRepository),
    heeds: { [singleRepository]: all.filter((key) => !ofPolicy.includes(key)), [aPolicy]: [...policy, ...both] },
  };
}

/** What is to be known of a command to judge its flags. */
export interface Judged {
  readonly name: string;
  readonly options: Options;
  readonly worksOn: WorksOn;
  readonly ways?: Ways;
}

/** By what it goes. 'usage' where a flag stands there that nothing would heed: before anything is opened. */
export async function assertHeeded(
  command: Judged,
  values: Values<Options>,
  context: Pick<Context, 'given'>,
): Promise<By> {
  const { worksOn, ways, name, options } = command;
  const by = worksOn === 'either' ? await byWhat(context) : worksOn === 'a policy' ? 'policy' : 'repository';
  assertPlaces(command, by, context.given);
  if (ways === undefined) return by;
  const way = ways.of(values, by);
  const idle = Object.keys(options).find((key) => !heeds(ways, way, key) && context.given(key).origin === 'flag');
  if (idle === undefined) return by;
  const others = Object.keys(ways.heeds).filter((other) => heeds(ways, other, idle));
  throw new HoldfastError(
    'usage',
    `${name}: ${flagName(idle)} can’t stand beside ${way}; it is for ${others.join(', or ')}`,
  );
}

function heeds({ heeds: table }: Ways, way: string, key: string): boolean {
  return table[way]?.includes(key) === true;
}

async function byWhat(context: Pick<Context, 'given'>): Promise<By> {
  return (await goesByPolicy(context)) ? 'policy' : 'repository';
}

/** Of a repository of -r; a policy says them of its own. */
const repositoryFlags = ['repo', 'repositoryFile', 'passwordFile', 'passwordCommand', 'insecureNoPassword'] as const;

/** What names a repository, or a policy, where none is worked on. Variables are everybody's, and are let pass. */
function assertPlaces({ name, worksOn }: Judged, by: By, given: Given): void {
  if (worksOn === 'anything') return;
  const none = worksOn === 'nothing';
  const idle = [
    ...(by === 'policy' || none ? repositoryFlags : []),
    ...(worksOn === 'a repository' || none ? (['config'] as const) : []),
  ].find((key) => given(key).origin === 'flag');
  if (idle === undefined) return;
  const why = none
    ? 'it works on no repository, and by no policy'
    : by === 'policy'
      ? 'it goes by a policy, which names its repositories and their passwords'
      : 'it works on the repository of -r';
  throw new HoldfastError('usage', `${name}: ${flagName(idle)} can’t stand here: ${why}`);
}
