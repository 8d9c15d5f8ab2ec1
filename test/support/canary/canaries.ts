import { createHash } from 'node:crypto';

/** A secret that stands nowhere else. Its core survives every encoding that leaves letters and digits alone. */
export interface Canary {
  /** Where it belongs: `password of near`. */
  readonly name: string;
  readonly core: string;
  /** What the place holds: the core, and what a quoting could stumble over. */
  readonly value: string;
}

/** What may stand where: a header takes no quote, an environment no NUL. */
const tails = { any: ` "'\\%é&+/=<`, header: '+/==', url: ':@/%?#', plain: '' } as const;

/** The same in each run, and unlike for each name. */
export function canaryOf(name: string, tail: keyof typeof tails = 'any'): Canary {
  const digest = createHash('sha256').update(`canary ${name}`).digest('base64').replaceAll(/[+/=]/g, '');
  const core = `Kn${digest.slice(0, 18)}`;
  return { name, core, value: `${core}${tails[tail]}` };
}

interface Form {
  readonly canary: Canary;
  readonly form: string;
  readonly bytes: Buffer;
}

/** Looks for canaries, each in every form that a program may give it without meaning to. */
export class Search {
  readonly #asIs: readonly Form[];
  readonly #lower: readonly Form[];

  constructor(canaries: readonly Canary[]) {
    this.#asIs = canaries.flatMap((canary) => [...base64Forms(canary), wide(canary)]);
    this.#lower = canaries.flatMap(lowerForms);
  }

  /** One line a finding: `password of near as base64 in WHERE: …what is around it…`. */
  in(where: string, given: Uint8Array | string): readonly string[] {
    const bytes = Buffer.from(given);
    const folded = Buffer.from(bytes.toString('latin1').toLowerCase(), 'latin1');
    const bare = Buffer.from(folded.toString('latin1').replaceAll(/%|\\x|\\u00|[:\s-]/g, ''), 'latin1');
    const found = [
      ...this.#asIs.flatMap((form) => findings(where, bytes, form)),
      ...this.#lower.flatMap((form) => findings(where, folded, form)),
      ...this.#lower.filter(({ form }) => form === 'hex').flatMap((form) => findings(where, bare, form)),
    ];
    return [...new Set(found)];
  }
}

function findings(where: string, bytes: Buffer, { canary, form, bytes: wanted }: Form): readonly string[] {
  const at = bytes.indexOf(wanted);
  if (at < 0) return [];
  const around = bytes.toString('latin1', Math.max(0, at - 60), at + wanted.length + 60);
  return [`${canary.name} as ${form} in ${where}: …${around.replaceAll(/[^\x20-\x7e]/g, '·')}…`];
}

/** Raw, percent-encoded, JSON-escaped and quoted alike: none of them touches a letter. */
function lowerForms(canary: Canary): readonly Form[] {
  const raw = Buffer.from(canary.core.toLowerCase(), 'latin1');
  const hex = Buffer.from(Buffer.from(canary.core, 'latin1').toString('hex'), 'latin1');
  return [
    { canary, form: 'text', bytes: raw },
    { canary, form: 'hex', bytes: hex },
  ];
}

/** Base64 looks different by what stands before (`user:password`): each of three ways, without what neighbours touch. */
function base64Forms(canary: Canary): readonly Form[] {
  return [0, 1, 2].map((before) => {
    const length = before + canary.core.length;
    const text = Buffer.concat([Buffer.alloc(before), Buffer.from(canary.core)]).toString('base64');
    const core = text.slice(Math.ceil((before * 8) / 6), Math.floor((length * 8) / 6));
    return { canary, form: 'base64', bytes: Buffer.from(core) };
  });
}

function wide(canary: Canary): Form {
  return { canary, form: 'UTF-16', bytes: Buffer.from(canary.core, 'utf16le') };
}
