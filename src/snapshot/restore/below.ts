import type { RawPath } from '../../bytes/ids.ts';

export function below(location: RawPath, name: RawPath): RawPath {
  // Branded: a path made of two.
  return (location === '/' ? `/${name}` : `${location}/${name}`) as RawPath;
}
