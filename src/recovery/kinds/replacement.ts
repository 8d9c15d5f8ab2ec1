import { join } from 'node:path';
import { countOf, fieldsOf, listOf, textOf, type Fields } from '../../bytes/fields.ts';
import { HoldfastError } from '../../errors/error.ts';
import { replacingDriver, type ReplacingDriver } from '../../job/find-replacement.ts';
import type { ComponentContext } from '../../job/component.ts';
import type { MomentWanted } from '../../job/find-moment.ts';
import type { StepCall } from '../../plan/plan.ts';
import type { OtherSeat } from '../../source/in-place.ts';
import { wantedIn } from '../moment-form.ts';
import { assertOwnRoot } from './own-root.ts';
import { placesOf, type Places } from './places.ts';

/** A component's place that is replaced by what its log is replayed on, and whatever of it stands elsewhere. */
export interface Replacement {
  readonly component: string;
  readonly driver: ReplacingDriver;
  readonly places: Places;
  /** The folder that holds it while it is brought to the moment. */
  readonly folder: string;
  readonly others: readonly (OtherSeat & { readonly places: Places })[];
  /** Made once it stands at the moment. */
  readonly replayed: string;
  /** What nothing starts without: of what is live, of what was, and of what is to be. */
  readonly key: { readonly live: string; readonly old: string; readonly fresh: string };
  /** Made where what is replaced may write the log. */
  readonly granted: string;
}

/**
 * `arguments` {component, path, slot, replace, within, others: [{from, location, name, slot}]}. 'refused' where somebody else
 * can have written into a folder of the plan's own.
 */
export function replacementOf(context: ComponentContext, { step, hash }: Pick<StepCall, 'step' | 'hash'>): Replacement {
  const component = textOf(step.arguments['component'], step.key);
  const driver = replacingDriver(context, component);
  if (driver === undefined) throw new HoldfastError('unsupported', `${component} can’t be replaced by this version`);
  const places = placesOf({ step, hash });
  const { root, fresh, live } = places;
  const key = { live: join(live, driver.inPlace.key), old: join(root, 'key-old'), fresh: join(root, 'key-fresh') };
  const others = othersOf(step.arguments, step.key).map((one) => {
    const own = { ...step, arguments: argumentsOf(one) };
    return { ...one, places: placesOf({ step: own, hash }) };
  });
  for (const { root: own } of [places, ...others.map((one) => one.places)]) assertOwnRoot(own);
  const [replayed, granted] = [join(root, 'replayed'), join(root, 'granted')];
  return { component, driver, places, folder: join(fresh, component), others, replayed, key, granted };
}

type OtherSlot = OtherSeat & { readonly slot: number };

function othersOf(given: Fields, key: string): readonly OtherSlot[] {
  return listOf(given['others'], key).map((one) => {
    const { from, location, name, slot } = fieldsOf(one, key);
    return {
      from: textOf(from, key),
      location: textOf(location, key),
      name: textOf(name, key),
      slot: countOf(slot, 1000, key),
    };
  });
}

/** Of the step that puts one of the others in its place. */
export function argumentsOf({ location, name, slot }: OtherSlot): Fields {
  return { path: join(location, name), slot, replace: 'whole', within: name };
}

/** The moment, by the very backup that the plan was made with. */
export function momentOf({ step: { arguments: given, key } }: StepCall, component: string): MomentWanted {
  return { ...wantedIn(given, key), component, base: textOf(given['point'], key) };
}
