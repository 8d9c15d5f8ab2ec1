import { HoldfastError } from '../../errors/error.ts';
import type { ComponentContext } from '../../job/component.ts';
import { openSource } from '../../job/open-source.ts';
import type { Moment, MomentAsked } from '../../point/moment.ts';
import { oneOfThem, type MomentWords } from '../checks/moment-words.ts';
import { wholeNumber } from '../option.ts';

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
  throw oneOfThem(more.length === 0 ? 'none' : 'several');
}

function positionOf(text: string, context: ComponentContext, name: string): bigint {
  const { [name]: component } = context.policy.components;
  const recovery = component && openSource(context, name, component).recovery;
  if (recovery === undefined) throw new HoldfastError('unsupported', `${name} has no log: --lsn says nothing of it`);
  return recovery.parsePosition(text);
}
