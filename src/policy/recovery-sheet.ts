import { shownName } from '../secret/secret.ts';
import type { Policy } from './policy.ts';

/** What a person needs on the day when nothing else is left. Passwords stand on it only when they are asked for. */
export interface SheetOptions {
  readonly policy: Policy;
  readonly hostname: string;
  /** By repository; undefined: where each is kept is said instead. */
  readonly passwords: ReadonlyMap<string, string> | undefined;
  /** Whose signatures under records are believed: a line for each. */
  readonly signers: readonly string[];
  /** RFC 3339. */
  readonly time: string;
}

export function recoverySheet({ policy, hostname, passwords, signers, time }: SheetOptions): string {
  const repositories = Object.entries(policy.repositories).map(([name, { url, password, site }]) => {
    const kept = Object.entries(password).map(([kind, where]) => `${kind} ${shownPlace(where)}`);
    const secret = passwords?.get(name) ?? `not on this sheet; kept in: ${kept.join(', ')}`;
    return `${name}${site === undefined ? '' : ` (${site})`}\n  address:  ${url}\n  password: ${secret}\n`;
  });
  const components = Object.entries(policy.components).map(
    ([name, { backups }]) =>
      `  ${name}: ${[...new Set(Object.values(backups).flatMap(({ to }) => Object.keys(to)))].join(', ')}`,
  );
  return `RECOVERY SHEET of ${policy.host ?? hostname}, ${time}
Print it, and keep it where a fire or a thief doesn't take it together with the host.

REPOSITORIES
${repositories.join('')}
WHAT STANDS WHERE
${components.join('\n')}

WITH RESTIC ALONE (https://restic.net, version 0.14 or newer)
  export RESTIC_REPOSITORY=<address> RESTIC_PASSWORD=<password>
  restic snapshots --tag hf.component=<component>
  restic restore latest --tag hf.component=<component> --target /srv/restored

WITH HOLDFAST
  holdfast -r <address> snapshots
  holdfast -r <address> restore latest --tag hf.component=<component> --target /srv/restored

WHOSE RECORDS ARE BELIEVED (name these keys under signers: in the policy)
${signers.length === 0 ? '  nobody’s yet: no key was seen on this host\n' : signers.map((line) => `  ${line}\n`).join('')}
Without its password a repository can't be read by anybody, and there is no way to get it back.
`;
}

/** For a printer: one page, no scripts, nothing loaded from elsewhere. */
export function sheetAsHtml(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const style = 'body{margin:2cm;font:11pt/1.4 monospace}pre{white-space:pre-wrap}';
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Recovery sheet</title><style>${style}</style><pre>${escaped}</pre></html>\n`;
}

/** A word that is no name may be the secret, typed in place of a reference; a command of several words is one. */
function shownPlace(where = ''): string {
  return where.includes(' ') ? where : shownName(where, 'as the policy says');
}
