import { objectiveOf, placeNamed, type Component, type Policy } from '../policy.ts';
import type { Contradiction } from './contradictions.ts';

type Wanted = 'copies' | 'media' | 'offsite' | 'immutable';

/** More places than any of a component's rules has. Production itself is one copy, on a disk, at its own site. */
export function copiesTooFew(policy: Policy): readonly Contradiction[] {
  return Object.entries(policy.components).flatMap(([name, component]) => {
    const objective = objectiveOf(policy, component);
    const given = best(policy, component);
    return (['copies', 'media', 'offsite', 'immutable'] as const).flatMap((what) => {
      const [wanted, reached] = [objective[what], given[what]];
      if (wanted === undefined || wanted <= reached) return [];
      const message = `the tier ${String(component.tier)} wants ${what}: ${wanted}, and no rule reaches more than ${reached}`;
      return [{ path: ['components', name], key: name, message: `${message}${hint(what, policy, component)}` }];
    });
  });
}

function hint(what: Wanted, policy: Policy, component: Component): string {
  if (what === 'copies') return ' (production counts as one)';
  if (what === 'offsite' && siteOf(policy, component) === undefined)
    return ' (say `site:`, so that it is known what is offsite)';
  return what === 'immutable' ? ' (a repository with `lock:` counts)' : '';
}

/** What the best rule for each reaches. */
function best(policy: Policy, component: Component): Readonly<Record<Wanted, number>> {
  const reached = { copies: 1, media: 1, offsite: 0, immutable: 0 };
  for (const { to } of Object.values(component.backups)) {
    const places = Object.keys(to).flatMap((name) => placeNamed(policy, component, name) ?? []);
    reached.copies = Math.max(reached.copies, 1 + places.length);
    reached.media = Math.max(reached.media, new Set(['disk', ...places.map(({ media }) => media)]).size);
    reached.offsite = Math.max(
      reached.offsite,
      offsite(
        places.map(({ site }) => site),
        siteOf(policy, component),
      ),
    );
    reached.immutable = Math.max(reached.immutable, places.filter(({ lock }) => lock !== undefined).length);
  }
  return reached;
}

function siteOf(policy: Policy, { site }: Component): string | undefined {
  return site ?? policy.site;
}

/** Without a word about where production stands, one of several sites is taken for its own. */
function offsite(sites: readonly (string | undefined)[], own: string | undefined): number {
  const named = sites.filter((site) => site !== undefined);
  if (own !== undefined) return named.filter((site) => site !== own).length;
  return Math.max(0, new Set(named).size - 1);
}
