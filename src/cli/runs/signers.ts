import { HoldfastError } from '../../errors/error.ts';
import { hostName } from '../../host/users.ts';
import { introductions } from '../../job/introductions.ts';
import { readPins } from '../../record/pins.ts';
import { wholeRepository } from '../../record/record.ts';
import { writerOf } from '../../record/state.ts';
import type { Run } from '../command.ts';
import type { signersOptions, trustOptions } from '../commands/signers.ts';
import { componentContext, recordingContext } from '../components/context.ts';
import { formatTime, jsonTime, quoteForTerminal } from '../format.ts';
import { policyOf } from '../policy-file.ts';
import { stateFolder } from '../state-folder.ts';
import { tableLines } from '../table.ts';

interface Shown {
  readonly key: string;
  readonly believed: 'policy' | 'introduced' | 'pinned' | 'no';
  readonly whose: string;
  readonly by?: string;
  readonly timeNs?: bigint;
}

/** Every key that is known here, this host's own first. */
export const list: Run<typeof signersOptions> = async (_invocation, context) => {
  const { policy } = await policyOf(context);
  const { console, listener } = context;
  const state = { folder: stateFolder(context) };
  await using base = await componentContext(context, policy, { mode: 'execute', listener });
  const { id, signer } = await writerOf(state, hostName());
  const known = policy.signers === undefined ? await pinned(state) : await believed(base, policy.signers);
  const own = known.find(({ key }) => key === signer.publicKey)?.believed ?? 'no';
  const rest = known.filter(({ key }) => key !== signer.publicKey);
  const all: readonly Shown[] = [{ key: signer.publicKey, believed: own, whose: `${id} (this host)` }, ...rest];
  if (console.form === 'json') for (const one of all) console.record(recordOf(one));
  else for (const line of table(all)) console.say(line, 0);
  return 0;
};

async function believed(
  base: Parameters<typeof introductions>[0],
  signers: readonly string[],
): Promise<readonly Shown[]> {
  const introduced = (await introductions(base, signers)).filter(({ signer }) => !signers.includes(signer));
  return [
    ...signers.map((key) => ({ key, believed: 'policy', whose: '' }) as const),
    ...introduced.map(({ signer, ...one }) => ({ ...one, key: signer, believed: 'introduced' }) as const),
  ];
}

async function pinned(state: Parameters<typeof readPins>[0]): Promise<readonly Shown[]> {
  return [...(await readPins(state))].map(([whose, key]) => ({ key, believed: 'pinned', whose }));
}

function recordOf({ timeNs, ...one }: Shown): unknown {
  return { message_type: 'signer', ...one, ...(timeNs === undefined ? {} : { time: jsonTime(timeNs) }) };
}

function table(all: readonly Shown[]): readonly string[] {
  return tableLines({
    header: ['Key', 'Believed', 'Whose', 'Introduced'],
    rows: all.map(({ key, believed: why, whose, by, timeNs }) => [
      key,
      why,
      quoteForTerminal(whose),
      by === undefined || timeNs === undefined ? '' : quoteForTerminal(`by ${by}, ${formatTime(timeNs)}`),
    ]),
  });
}

/** Only who is believed can introduce anybody. */
export const trust: Run<typeof trustOptions> = async ({ values, operands }, context) => {
  const [signer = ''] = operands;
  if (!/^[A-Za-z0-9+/]{43}=$/.test(signer))
    throw new HoldfastError('usage', `records trust: ${JSON.stringify(signer)} is no ed25519 public key in base64`, {
      next: 'See `holdfast records signers` on the host whose key it is. Nothing was changed.',
    });
  const { policy } = await policyOf(context);
  const { listener, console } = context;
  await using base = await recordingContext(context, policy, { mode: 'execute', listener });
  const own = (await writerOf({ folder: base.stateFolder }, hostName())).signer.publicKey;
  const roots = policy.signers;
  if (roots === undefined)
    throw new HoldfastError('refused', 'the policy names no signers, so each host believes whom it sees first', {
      next: `Write \`signers: ["${own}"]\` into the policy, if it is this host that is to be believed. Nothing was changed.`,
    });
  const isBelieved = roots.includes(own) || (await introductions(base, roots)).some((one) => one.signer === own);
  if (!isBelieved)
    throw new HoldfastError('refused', 'this host’s own key is believed by nobody, so it can introduce none', {
      next: `Run it on a host whose key is believed, or introduce ${own} there first. Nothing was changed.`,
    });
  const whose = values.whose ?? '';
  const data = { outcome: 'done', action: 'trusted', signer, whose };
  await base.recording?.record({ kind: 'key', component: wholeRepository, data });
  if (console.form === 'json') console.record({ message_type: 'trusted', signer, whose });
  console.say(`${signer} is believed from now on`);
  return 0;
};
