import { missingFacilities } from '../host/capabilities.ts';

/** Lines of a summary: what this host keeps from being preserved. Usually none. */
export function limitLines(): readonly string[] {
  return missingFacilities().map((words) => `this host lacks what it takes: ${words}`);
}

/** The same as a member of a JSON summary. */
export function hostLimits(): { readonly host_limits?: readonly string[] } {
  const limits = missingFacilities();
  return limits.length === 0 ? {} : { host_limits: limits };
}
