import { HoldfastError } from '../../errors/error.ts';
import type { ComponentContext } from '../../job/component.ts';
import { openSource } from '../../job/open-source.ts';
import type { Moment, MomentAsked } from '../../point/moment.ts';
import { wholeNumber } from '../option.ts';

export interface MomentWords {
  readonly at: string | undefined;
  readonly lsn: string | undefined;
  readonly xid: string | undefined;
  readonly name: string | undefined;
  readonly latest: boolean;
  readonly immediate: boolean;
  readonly exclusive: boolean;
  readonly timeline: string | undefined;
}

/** Whether any but `--at`, which also means the newest backup of then or before. */
export function namesMoment({ lsn, xid, name, latest, immediate }: MomentWords): boolean {
  return lsn !== undefined || xid !== undefined || name !== undefined || latest || immediate;
}

/** Just one of them names the moment. */
export function askedBy(
  words: MomentWords,
  context: ComponentContext,
  name: string,
  atNs: bigint | undefined,
): MomentAsked {
  const epoch = words.timeline === undefined ? undefined : wholeNumber(words.timeline, '--timeline');
  return {
    moment: momentBy({ ...words, atNs }, context, name),
    edge: words.exclusive ? 'excluded' : 'included',
    epoch,
  };
}

function momentBy(
  { atNs, lsn, xid, name, latest, immediate }: MomentWords & { readonly atNs: bigint | undefined },
  context: ComponentContext,
  component: string,
): Moment {
  const named: readonly (Moment | false)[] = [
    atNs !== undefined && { kind: 'time', timeNs: atNs },
    lsn !== undefined && { kind: 'position', at: positionOf(lsn, context, component) },
    xid !== undefined && { kind: 'transaction', id: wholeNumber(xid, '--xid') },
    name !== undefined && { kind: 'name', name },
    latest && { kind: 'latest' },
    immediate && { kind: 'consistent' },
  ];
  const [one, ...more] = named.filter((moment) => moment !== false);
  if (one !== undefined && more.length === 0) return one;
  throw new HoldfastError('usage', 'one of --at, --lsn, --xid, --name, --latest and --immediate names the moment');
}

function positionOf(text: string, context: ComponentContext, name: string): bigint {
  const { [name]: component } = context.policy.components;
  const recovery = component && openSource(context, name, component).recovery;
  if (recovery === undefined) throw new HoldfastError('unsupported', `${name} has no log: --lsn says nothing of it`);
  return recovery.parsePosition(text);
}

/** `--tablespace OLD=NEW`, each as often as it is given. */
export function movedBy(words: readonly string[]): readonly { readonly from: string; readonly to: string }[] {
  return words.map((word) => {
    const [from = '', to = '', ...more] = word.split('=');
    if (from !== '' && to.startsWith('/') && more.length === 0) return { from, to };
    throw new HoldfastError(
      'usage',
      `--tablespace: ${JSON.stringify(word)} is not OLD=NEW, with an absolute path for NEW`,
    );
  });
}
