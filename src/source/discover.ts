import type { SourceKinds } from './kinds.ts';

/** Something on this host that somebody would miss, and the component that protects it. */
export interface Discovery extends Sighting {
  /** Of the component. */
  readonly kind: string;
}

/** The same, as its kind of source tells of it. */
export interface Sighting {
  /** A name for the component. */
  readonly name: string;
  /** What was seen, for people. */
  readonly why: string;
  /** Of the component, as a policy has them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** For who reads the policy; '' where there is nothing to say. */
  readonly remark: string;
  /** Its folders; none where it has to be asked for its content. */
  readonly paths: readonly string[];
  /** How the names of programs begin that make a dump of it; undefined where none does. */
  readonly dumpedBy: string | undefined;
}

export interface LookedAt {
  /** Below which folder; '/' but for tests. */
  readonly root: string;
  /** Folders that no backup is to hold, such as one of backups. */
  readonly leftOut: readonly string[];
}

const everywhere: LookedAt = { root: '/', leftOut: [] };

/** By looking alone: nothing is run, nobody connected to, nothing changed. What has to be asked for its content comes first. */
export function discover(kinds: SourceKinds, at: LookedAt = everywhere): readonly Discovery[] {
  const found = Object.entries(kinds).flatMap(([kind, { discover: sighted }]) =>
    (sighted?.(at) ?? []).map((one) => ({ ...one, kind })),
  );
  return found.toSorted((a, b) => Number(a.paths.length > 0) - Number(b.paths.length > 0));
}

/** Of what was discovered, what no component protects. */
export function unprotected(
  kinds: SourceKinds,
  found: readonly Discovery[],
  components: readonly { readonly kind: string; readonly options: unknown }[],
): readonly Discovery[] {
  const optionsOf = (kind: string): readonly unknown[] =>
    components.filter((one) => one.kind === kind).map(({ options }) => options);
  return found.filter(
    (one) => !Object.entries(kinds).some(([kind, { protects }]) => protects?.(optionsOf(kind), one) === true),
  );
}
