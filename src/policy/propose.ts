import type { Discovery } from '../source/discover.ts';

export interface ProposalOptions {
  readonly repository: string;
  readonly passwordFile: string;
}

/** A policy for what was found on a host: text to be read and changed by a person. */
export function proposedPolicy(found: readonly Discovery[], { repository, passwordFile }: ProposalOptions): string {
  const components = found.length === 0 ? [example] : found.map(component);
  return `# What is backed up, how often, to where, kept how long, and what is wanted of it.
# \`holdfast config check\` tells what is wrong with this file; docs/policy.md explains every key.
version: 1
timezone: UTC
site: here

repositories:
  local:
    url: ${quoted(repository)}
    password: { file: ${quoted(passwordFile)} }
    site: here
    media: disk
  # A disk that dies or a thief takes the copy above with it: one that stands elsewhere is the one that counts.
  # offsite:
  #   url: s3:https://s3.example.com/backups
  #   password: { file: ${quoted(passwordFile)} }
  #   credentials: { profile: holdfast-writer }
  #   site: elsewhere
  #   media: object
  #   lock: { mode: compliance, for: 30d }

tiers:
  # At most a day may be lost; a restore may take four hours, and is proven every week.
  standard: { rpo: 25h, rto: 4h, copies: 2, proof: 8d }

components:
${components.join('')}`;
}

function component({ name, why, kind, options, remark }: Discovery): string {
  const given = Object.entries(options).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return `  # Found: ${why}.
  ${name}:
    tier: standard
${remark === '' ? '' : `    # ${remark}\n`}    ${kind}: { ${given.join(', ')} }
    backups: { nightly: { at: "02:00", to: { local: { keep: { daily: 7, weekly: 5, monthly: 12 } } } } }
    verify: [{ every: 7d, from: nearest, do: restore, checks: [{ name: something is there, size: bytes, at-least: 1 }] }]
`;
}

const example = `  # Nothing was found at the usual places: name what you would miss.
  documents:
    tier: standard
    files: { paths: [/srv] }
    backups: { nightly: { at: "02:00", to: { local: { keep: { daily: 7, weekly: 5, monthly: 12 } } } } }
    verify: [{ every: 7d, from: nearest, do: restore }]
`;

/** JSON's strings are YAML's. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
