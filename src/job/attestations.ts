import { silent } from '../events/events.ts';
import { newestAttestations, type Attestation } from '../record/attestation.ts';
import type { ComponentContext } from './component.ts';
import { openRecords } from './records.ts';

/** What people stated of components, newest of each; of all, and of the policy, where none is named. */
export async function attestationsOf(
  context: ComponentContext,
  components: readonly string[],
): Promise<readonly Attestation[]> {
  // Which repositories can't be asked is told by who asks them for points.
  using read = await openRecords({ ...context, listener: silent }, { components, kinds: ['attestation'] });
  return newestAttestations(read.records);
}
