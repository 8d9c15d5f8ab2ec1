import { isExpired, type Attestation } from '../record/attestation.ts';
import { wholeRepository } from '../record/record.ts';
import type { Context } from './context.ts';
import { formatTime, jsonTime, quoteForTerminal } from './format.ts';

/** What people stated, and what of it holds no more. An expired statement is told, and changes no exit code. */
export function showAttestations(all: readonly Attestation[], { console, clock }: Context): void {
  const nowNs = clock.nowNs();
  for (const one of all)
    if (console.form === 'json') console.record(recordOf(one, nowNs));
    else console.say(lineOf(one, nowNs), 0);
}

function recordOf({ timeNs, expiresNs, ...one }: Attestation, nowNs: bigint): unknown {
  const expired = isExpired({ expiresNs }, nowNs);
  return { message_type: 'attestation', ...one, time: jsonTime(timeNs), expires: jsonTime(expiresNs), expired };
}

function lineOf({ component, about, statement, by, timeNs, expiresNs }: Attestation, nowNs: bigint): string {
  const whose = component === wholeRepository ? '' : `${component}: `;
  const [mark, until] = isExpired({ expiresNs }, nowNs) ? ['!', 'EXPIRED'] : ['✔', 'holds until'];
  const said = quoteForTerminal(`${about}: ${statement} (${by})`);
  return `${mark} ${whose}stated ${formatTime(timeNs)}, ${until} ${formatTime(expiresNs)}: ${said}`;
}
