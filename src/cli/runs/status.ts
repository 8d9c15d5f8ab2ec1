import { statusOf } from '../../job/status.ts';
import type { Policy } from '../../policy/policy.ts';
import { discover, unprotected, type Protected } from '../../source/discover.ts';
import type { Context } from '../context.ts';
import type { Run } from '../command.ts';
import type { status } from '../commands/status.ts';
import { componentContext, componentsMeant } from '../components/context.ts';
import { policyOf } from '../policy-file.ts';
import { statusLines, statusRecord } from '../status-view.ts';

/** Exit code 4: broken; 5: not known. What is at risk is told, and no failure yet. */
export const run: Run<typeof status.options> = async ({ operands }, context) => {
  const { policy } = await policyOf(context);
  const { console, listener } = context;
  const components = componentsMeant(policy, operands, operands.length === 0);
  await using base = await componentContext(context, policy, { mode: 'execute', listener });
  const all = await statusOf(base, components);
  if (console.form === 'json') for (const one of all) console.record(statusRecord(one));
  else for (const line of statusLines(all, context.clock.nowNs())) console.say(line, 0);
  if (operands.length === 0) tellUnprotected(policy, context);
  const states = new Set(all.map(({ state }) => state));
  return states.has('broken') ? 4 : states.has('unknown') ? 5 : 0;
};

/** What nobody asked for is no broken objective: it is told, and changes no exit code. */
function tellUnprotected(policy: Policy, { console }: Context): void {
  const missed = unprotected(discover(), protectedBy(policy));
  if (console.form === 'json') {
    console.record({
      message_type: 'unprotected',
      found: missed.map(({ name, why, protects }) => ({ name, why, protects })),
    });
    return;
  }
  for (const { why, protects } of missed) {
    const where = protects.kind === 'files' ? `: ${protects.paths.join(', ')}` : '';
    console.say(`- found on this host, and NOT PROTECTED: ${why}${where}`);
  }
}

/** What an exclude leaves out is the policy's word. */
function protectedBy({ components }: Policy): Protected {
  const options = Object.values(components).flatMap(({ source }) => Object.entries(source.options ?? {}));
  const texts = (wanted: string): readonly string[] =>
    options
      .flatMap(([key, value]): readonly unknown[] => (key !== wanted ? [] : Array.isArray(value) ? value : [value]))
      .filter((text) => typeof text === 'string');
  return { paths: texts('paths'), dumps: texts('dump') };
}
