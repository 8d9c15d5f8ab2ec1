import { displayPath, type RawPath } from '../../bytes/ids.ts';
import type { Policy } from '../../policy/policy.ts';
import { secretFiles } from '../../policy/secrets.ts';

/** What no sandbox of a component sees: what it protects, repositories on this host, and what opens them. */
export function hiddenOf(policy: Policy, paths: readonly RawPath[]): readonly string[] {
  const repositories = Object.values(policy.repositories).flatMap(({ url }) => (url.startsWith('/') ? [url] : []));
  return [...repositories, ...secretFiles(policy), ...paths.map(displayPath)];
}
