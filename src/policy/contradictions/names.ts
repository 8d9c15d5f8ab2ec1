import { nearest } from '../../bytes/nearest.ts';
import type { Path } from '../path.ts';
import type { Policy } from '../policy.ts';
import type { Contradiction } from './contradictions.ts';

/** Repositories, tiers and methods that are named, and are none. */
export function namesUnknown(policy: Policy): readonly Contradiction[] {
  const repositories = Object.keys(policy.repositories);
  const tiers = Object.keys(policy.tiers);
  return Object.entries(policy.components).flatMap(([name, { tier, backups, log, verify, source }]) => {
    const at = ['components', name];
    const places = [...repositories, ...Object.keys(source.places)];
    return [
      ...(tier === undefined ? [] : unknown('tier', tier, tiers, [...at, 'tier'])),
      ...Object.entries(backups).flatMap(([rule, { to }]) => keys(to, places, [...at, 'backups', rule, 'to'])),
      ...Object.entries(backups).flatMap(([rule, { method }]) =>
        method === undefined || source.methods === undefined
          ? []
          : unknown('method', method, source.methods, [...at, 'backups', rule, 'method']),
      ),
      ...(log === undefined ? [] : keys(log.to, repositories, [...at, 'log', 'to'])),
      ...verify.flatMap(({ from }, index) =>
        unknown('repository', from, ['nearest', 'each', ...places], [...at, 'verify', index, 'from']),
      ),
    ];
  });
}

function unknown(what: string, word: string, known: readonly string[], path: Path): readonly Contradiction[] {
  if (known.includes(word)) return [];
  return [{ path, message: `there is no such ${what}`, nearest: nearest(word, known) }];
}

function keys(to: object, known: readonly string[], path: Path): readonly Contradiction[] {
  return Object.keys(to)
    .filter((key) => !known.includes(key))
    .map((key) => ({ path, key, message: 'there is no such repository', nearest: nearest(key, known) }));
}
