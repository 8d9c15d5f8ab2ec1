/** A CPU profile as V8 writes it, as far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** The node that was on top of the stack, sample by sample. */
  readonly samples: readonly number[];
  /** Microseconds from the sample before. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: Frame;
  readonly children?: readonly number[];
}

interface Frame {
  readonly functionName: string;
  readonly url: string;
}

/** Waiting is no work. */
const idle = '(idle)';

/** What an innermost frame makes of a sample, unless one further out decides otherwise. */
const rules: readonly (readonly [phase: string, file: RegExp, name?: RegExp])[] = [
  ['collecting garbage', /^$/, /^\(garbage collector\)$/],
  ['compressing', /compression\/compressor/],
  ['decompressing', /compression\/(decompressor|frame)/],
  ['sealing', /crypto\/(seal|small-messages)/, /^(seal|sealInto|sealLarge)$/],
  ['opening seals', /crypto\/(seal|small-messages)/, /^(open|openTransient|openWhole|openLarge)$/],
  ['hashing', /crypto\/id|crypto\/hash|pipeline\/pack-bytes/],
  ['hashing', /pipeline\/sealer/, /^add$/],
  ['chunking', /chunking\//],
  ['metadata', /host\/(attributes|xattr|times)|source\/files|snapshot\/restore\/metadata/],
  ['writing', /pipeline\/(placing|pack-store|open-pack|packer|outbox|crates)|storage\//],
  ['making files', /pipeline\/making|host\/directory|snapshot\/restore\/(folder|file-restorer|file-writer)/],
  ['reading', /pipeline\/(source-file|bytes-reader|reading-worker|cutter|storing-worker)/],
  ['trees', /snapshot\/(tree|archive|restore)|bytes\/go-/],
  ['index', /repository\/index/],
  ['starting', /node:internal\/(modules|bootstrap|process|main|source_map)/],
  ['messages', /host\/worker|internal\/(worker|per_context\/messageport)/],
];
/** Whatever is done in here, it is done for this. */
const outer: readonly (readonly [phase: string, name: RegExp])[] = [
  ['verifying', /^verifyBlob$/],
  ['deriving the key', /^(deriveKey|scrypt)/],
];

/** Seconds at work in each phase, in one thread. */
export function phasesOf(profile: CpuProfile): ReadonlyMap<string, number> {
  const phaseAt = phasesByNode(profile.nodes);
  const seconds = new Map<string, number>();
  for (const [number, node] of profile.samples.entries()) {
    const phase = phaseAt.get(node) ?? 'other';
    if (phase !== idle) seconds.set(phase, (seconds.get(phase) ?? 0) + (profile.timeDeltas[number] ?? 0) / 1e6);
  }
  return seconds;
}

function phasesByNode(nodes: readonly ProfileNode[]): ReadonlyMap<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const children = new Set(nodes.flatMap((node) => node.children ?? []));
  const phases = new Map<number, string>();
  const todo = nodes.filter(({ id }) => !children.has(id)).map((node) => ({ node, around: 'other', fixed: false }));
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    const { functionName, url } = at.node.callFrame;
    const outermost = at.fixed ? undefined : outer.find(([, name]) => name.test(functionName))?.[0];
    const own = at.fixed ? at.around : (outermost ?? phaseOf(functionName, url) ?? at.around);
    const fixed = at.fixed || outermost !== undefined;
    phases.set(at.node.id, functionName === idle ? idle : own);
    for (const child of at.node.children ?? []) {
      const node = byId.get(child);
      if (node) todo.push({ node, around: own, fixed });
    }
  }
  return phases;
}

function phaseOf(functionName: string, url: string): string | undefined {
  return rules.find(([, file, name]) => file.test(url) && (name?.test(functionName) ?? true))?.[0];
}
