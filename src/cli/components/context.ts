import { resolve } from 'node:path';
import { currentUser, hostName } from '../../host/users.ts';
import type { ComponentContext, RuleOf } from '../../job/component.ts';
import { recordConfiguration } from '../../job/configuration.ts';
import { OpenRepositories, type OpenRepositoriesOptions } from '../../job/open-repositories.ts';
import { Recorder } from '../../job/recorder.ts';
import { writerOf } from '../../record/state.ts';
import { actorOf } from '../actor.ts';
import { stateFolder } from '../state-folder.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Policy } from '../../policy/policy.ts';
import { nearest } from '../../bytes/nearest.ts';
import { rawPathOf } from '../../bytes/ids.ts';
import { cacheFolder } from '../cache.ts';
import type { Context } from '../context.ts';
import { accessByName } from '../policy-access.ts';
import { secretsIn } from '../policy-place.ts';
import { policyFileName } from '../policy-file.ts';
import { tellThaw } from '../thaw-view.ts';
import { programVersion } from '../program.ts';
import { writerOptions } from '../writer-options.ts';

type Asked = Pick<ComponentContext, 'mode' | 'listener'>;

/** What is open until it is disposed of, which is the end of the command. */
export interface OpenContext extends ComponentContext, AsyncDisposable {
  readonly repositories: OpenRepositories;
}

export async function componentContext(
  context: Context,
  policy: Policy,
  { mode, listener }: Asked,
): Promise<OpenContext> {
  const { name: username, uid, gid } = currentUser();
  const folder = cacheFolder(context);
  const { clock, signal } = context;
  const accessTo: OpenRepositoriesOptions['accessTo'] = (name, until) =>
    accessByName({ ...context, signal: until }, policy)(name);
  const repositories = new OpenRepositories({ accessTo, clock, signal });
  return {
    policy,
    kinds: await context.kinds(),
    repositories,
    access: repositories.access,
    clock,
    listener,
    readSecret: secretsIn(context),
    askedNs: clock.nowNs(),
    stateFolder: stateFolder(context),
    signal,
    maker: { hostname: policy.host ?? hostName(), username, uid, gid, programVersion: `holdfast ${programVersion()}` },
    writer: writerOptions(context.globals),
    mode,
    onThaw: (plan) => tellThaw(plan, context.console),
    ...(folder === undefined ? {} : { cacheFolder: rawPathOf(folder) }),
    [Symbol.asyncDispose]: async () => await repositories[Symbol.asyncDispose](),
  };
}

/** The components that are meant, in the order of the file where all are. */
export function componentsMeant(policy: Policy, names: readonly string[], all: boolean): readonly string[] {
  const components = Object.keys(policy.components);
  if (all && names.length > 0) throw new HoldfastError('usage', 'components and --all can’t stand together');
  if (!all && names.length === 0)
    throw new HoldfastError('usage', `which component? ${components.join(', ')}; or --all`);
  for (const name of names) if (!components.includes(name)) throw unknown('component', name, components);
  return all ? components : names;
}

/** The rules that are meant: of the components named, or of all. */
export function rulesMeant(
  policy: Policy,
  names: readonly string[],
  { all, rule }: { readonly all: boolean; readonly rule: string | undefined },
): readonly RuleOf[] {
  const rules = componentsMeant(policy, names, all).flatMap((name) => rulesOf(policy, name));
  const meant = rules.filter(({ ruleName }) => rule === undefined || ruleName === rule);
  if (meant.length === 0 && rule !== undefined)
    throw unknown('rule', rule, [...new Set(rules.map(({ ruleName }) => ruleName))]);
  return meant;
}

function rulesOf(policy: Policy, name: string): readonly RuleOf[] {
  const { [name]: component } = policy.components;
  if (component === undefined) return [];
  return Object.entries(component.backups).map(([ruleName, rule]) => ({ name, component, ruleName, rule }));
}

function unknown(what: string, word: string, known: readonly string[]): HoldfastError {
  const guess = nearest(word, known);
  const hint = guess === undefined ? `there are ${known.join(', ')}` : `did you mean ${guess}?`;
  return new HoldfastError('usage', `there is no ${what} ${JSON.stringify(word)}; ${hint}`);
}

/** A context whose jobs record what they did; in a dry run there is nothing to record. */
export async function recordingContext(context: Context, policy: Policy, asked: Asked): Promise<OpenContext> {
  const base = await componentContext(context, policy, asked);
  if (asked.mode === 'dry-run') return base;
  await using closing = new AsyncDisposableStack();
  closing.use(base);
  const state = { folder: base.stateFolder };
  const writer = await writerOf(state, hostName());
  const recording = closing.use(new Recorder(base, { writer, state, actor: actorOf(context) }));
  await recordConfiguration({ ...base, recording }, resolve((await policyFileName(context)) ?? ''));
  const kept = closing.move();
  return { ...base, recording, [Symbol.asyncDispose]: async () => await kept.disposeAsync() };
}
