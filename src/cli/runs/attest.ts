import { HoldfastError } from '../../errors/error.ts';
import type { Policy } from '../../policy/policy.ts';
import { spanOf, spanPattern } from '../../policy/span.ts';
import { attestationData } from '../../record/attestation.ts';
import { wholeRepository } from '../../record/record.ts';
import type { Run } from '../command.ts';
import type { attestOptions } from '../commands/records.ts';
import { componentsMeant, recordingContext } from '../components/context.ts';
import { formatTime, jsonTime } from '../format.ts';
import { policyOf } from '../policy-file.ts';

const longestStatement = 4000;

export const run: Run<typeof attestOptions> = async ({ values, operands }, context) => {
  const [about = '', statement = ''] = operands;
  checkWords(about, statement);
  const { policy } = await policyOf(context);
  const component = componentMeant(policy, values.component);
  const expiresNs = context.clock.nowNs() + validNs(values.valid);
  await using base = await recordingContext(context, policy, { mode: 'execute', listener: context.listener });
  const data = attestationData({ about, statement, expiresNs });
  await base.recording?.record({ kind: 'attestation', component, data });
  if (context.console.form === 'json')
    context.console.record({ message_type: 'attested', component, about, statement, expires: jsonTime(expiresNs) });
  context.console.say(`${about}: holds until ${formatTime(expiresNs)}`);
  return 0;
};

function checkWords(about: string, statement: string): void {
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(about))
    throw new HoldfastError('usage', `records attest: ${JSON.stringify(about)} is no short name (a-z, 0-9 and -)`);
  if (statement.trim() === '' || statement.length > longestStatement)
    throw new HoldfastError('usage', `records attest: a statement has 1 to ${longestStatement} characters`);
}

function componentMeant(policy: Policy, name: string | undefined): string {
  const [component = wholeRepository] = name === undefined ? [] : componentsMeant(policy, [name], false);
  return component;
}

/** There is no statement that holds for ever. */
function validNs(valid: string | undefined): bigint {
  if (valid === undefined) throw new HoldfastError('usage', 'records attest: how long does it hold? Say --valid 90d');
  const ms = spanPattern.test(valid) ? spanOf(valid).ms : 0;
  if (ms === 0) throw new HoldfastError('usage', `--valid: ${JSON.stringify(valid)} is no span such as 90d`);
  return BigInt(ms) * 1_000_000n;
}
