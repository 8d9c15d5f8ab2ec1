import { countOf, textOf, type Fields } from '../bytes/fields.ts';
import { HoldfastError } from '../errors/error.ts';
import type { MomentWanted } from '../job/find-moment.ts';
import type { Plan } from '../plan/plan.ts';
import type { Moment, MomentAsked } from '../point/moment.ts';

type Wanted = Pick<MomentWanted, 'moment' | 'edge' | 'epoch' | 'otherwise' | 'standing'>;

/** As arguments of a step hold it. */
export function wantedFields({ moment, edge, epoch, otherwise, standing }: Wanted): Fields {
  const preferred = standing === undefined ? {} : { standing };
  return { moment: moment.kind, value: valueOf(moment), edge, epoch: epoch ?? 0, otherwise, ...preferred };
}

export function wantedIn(given: Fields, key: string): Wanted {
  const epoch = countOf(given['epoch'], 0xffff_ffff, key);
  const { standing } = given;
  return {
    // A plan of an earlier version has none.
    standing: standing === undefined ? undefined : countOf(standing, 0xffff_ffff, key),
    moment: momentIn(textOf(given['moment'], key), textOf(given['value'], key)),
    edge: given['edge'] === 'excluded' ? 'excluded' : 'included',
    epoch: epoch === 0 ? undefined : epoch,
    otherwise: given['otherwise'] === 'nothing' ? 'nothing' : 'a snapshot',
  };
}

/** Whether a plan brings a component to that very moment. */
export function goesToMoment({ steps }: Plan, asked: MomentAsked): boolean {
  const { otherwise: _own, ...wanted } = wantedFields({ ...asked, otherwise: 'nothing' });
  return steps.some(({ arguments: given }) => Object.entries(wanted).every(([name, value]) => given[name] === value));
}

function valueOf(moment: Moment): string {
  switch (moment.kind) {
    case 'time':
      return String(moment.timeNs);
    case 'position':
      return String(moment.at);
    case 'transaction':
      return String(moment.id);
    case 'name':
      return moment.name;
    case 'latest':
    case 'consistent':
      return '';
  }
}

function momentIn(kind: string, value: string): Moment {
  switch (kind) {
    case 'time':
      return { kind, timeNs: BigInt(value) };
    case 'position':
      return { kind, at: BigInt(value) };
    case 'transaction':
      return { kind, id: Number(value) };
    case 'name':
      return { kind, name: value };
    case 'latest':
    case 'consistent':
      return { kind };
    default:
      throw new HoldfastError('unsupported', `a moment by ${kind} is of a later version`);
  }
}
