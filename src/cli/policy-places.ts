import { access } from 'node:fs/promises';

/** Where a policy is looked for when nothing names one. Apart from what reads it: most commands need no policy. */
export const policyPlaces = ['./holdfast.yaml', '/etc/holdfast/holdfast.yaml'] as const;

/** ./holdfast.yaml, else the system’s; undefined where neither is there. */
export async function firstPolicyFile(): Promise<string | undefined> {
  for (const place of policyPlaces) {
    const there = await access(place).then(
      () => true,
      () => false,
    );
    if (there) return place;
  }
  return undefined;
}
