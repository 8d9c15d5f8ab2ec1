import type { ExternalPoint } from '../point/point.ts';
import { placesOf, type Component } from '../policy/policy.ts';
import type { ComponentContext } from './component.ts';
import { fromEach, type Answer } from './from-each.ts';
import { openExternal } from './open-source.ts';

/** What a place of a component's own answered; `repository` is its name. */
export type AnswerElsewhere = Answer<readonly ExternalPoint[]> & { readonly component: string };

/** The points that sources hold themselves, of every place that the rules of components name. */
export async function pointsElsewhere(
  context: ComponentContext,
  components: readonly string[],
): Promise<readonly AnswerElsewhere[]> {
  const answers: AnswerElsewhere[] = [];
  for (const name of components) {
    const { [name]: component } = context.policy.components;
    if (component === undefined) continue;
    const places = ownPlaces(context, component);
    const list = async (place: string): Promise<readonly ExternalPoint[]> =>
      await openExternal(context, name, component).list(place, context);
    for (const answer of await fromEach(places, list, context)) answers.push({ ...answer, component: name });
  }
  return answers;
}

function ownPlaces({ policy }: ComponentContext, { backups }: Component): readonly string[] {
  const named = new Set(Object.values(backups).flatMap(placesOf));
  return [...named].filter((place) => policy.repositories[place] === undefined);
}
