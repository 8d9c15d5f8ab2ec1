import type { Archive } from '../archive.ts';
import type { Retrying } from './retrying.ts';

/** To ask once more for a thaw that was asked for changes nothing, so every call may be repeated. */
export function retryingArchive(inner: Archive, retrying: Retrying): Archive {
  return {
    wishes: inner.wishes,
    probe: (prefix, options = {}) => retrying.one(`listing ${prefix}`, options, (wait) => inner.probe(prefix, wait)),
    async *list(prefix, options = {}) {
      yield* await retrying.all(`listing ${prefix}`, options, (wait) => inner.list(prefix, wait));
    },
    stateOf: (key, options = {}) => retrying.one(`finding ${key}`, options, (wait) => inner.stateOf(key, wait)),
    thaw: (key, options = {}) => retrying.one(`thawing ${key}`, options, (wait) => inner.thaw(key, wait)),
    usualTime: (storageClass, tier) => inner.usualTime(storageClass, tier),
  };
}
