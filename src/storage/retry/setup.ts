import type { BucketSetup } from '../setup.ts';
import type { Retrying } from './retrying.ts';

export function retryingSetup(inner: BucketSetup, retrying: Retrying): BucketSetup {
  return {
    prefix: inner.prefix,
    versioning: (options = {}) => retrying.one('asking whether versions are kept', options, inner.versioning),
    objectLock: (options = {}) => retrying.one('asking for Object Lock', options, inner.objectLock),
    lifecycle: (options = {}) => retrying.one('asking for lifecycle rules', options, inner.lifecycle),
  };
}
