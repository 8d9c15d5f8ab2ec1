import { attestationsOf } from '../../job/attestations.ts';
import { statusOf } from '../../job/status.ts';
import type { Policy } from '../../policy/policy.ts';
import { discover, unprotected } from '../../source/discover.ts';
import type { Context } from '../context.ts';
import type { Run } from '../command.ts';
import type { status } from '../commands/status.ts';
import { showAttestations } from '../attestation-view.ts';
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
  showAttestations(await attestationsOf(base, operands), context);
  if (operands.length === 0) await tellUnprotected(policy, context);
  const states = new Set(all.map(({ state }) => state));
  return states.has('broken') ? 4 : states.has('unknown') ? 5 : 0;
};

/** What nobody asked for is no broken objective: it is told, and changes no exit code. */
async function tellUnprotected({ components }: Policy, { console, kinds: loaded }: Context): Promise<void> {
  const kinds = await loaded();
  const given = Object.values(components).map(({ source }) => source);
  const missed = unprotected(kinds, discover(kinds), given);
  if (console.form === 'json') {
    console.record({
      message_type: 'unprotected',
      found: missed.map(({ name, why, kind, options }) => ({ name, why, protects: { kind, ...options } })),
    });
    return;
  }
  for (const { why, paths } of missed) {
    const where = paths.length === 0 ? '' : `: ${paths.join(', ')}`;
    console.say(`- found on this host, and NOT PROTECTED: ${why}${where}`);
  }
}
