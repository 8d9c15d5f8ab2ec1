import * as fs from 'node:fs';
import { displayPath, rawPathOf } from '../../src/bytes/ids.ts';
import { systemClock } from '../../src/clock/clock.ts';
import type { Event } from '../../src/events/events.ts';
import type { Entry } from '../../src/snapshot/entry.ts';
import { filesSource, type ExcludeOptions, type FilesOptions } from '../../src/source/files.ts';

export const noExcludes: ExcludeOptions = {
  patterns: [],
  caseInsensitivePatterns: [],
  ifPresent: [],
  fileSystems: 'all',
  folders: [],
};

export interface Walked {
  readonly entries: readonly Entry[];
  readonly events: readonly Event[];
}

/** Walks targets to the end. */
export async function walked(targets: readonly string[], options: Partial<FilesOptions> = {}): Promise<Walked> {
  const [entries, events]: [Entry[], Event[]] = [[], []];
  const source = filesSource({
    targets: targets.map(rawPathOf),
    excludes: noExcludes,
    atime: 'as-mtime',
    clock: systemClock,
    ...options,
  });
  const signal = new AbortController().signal;
  for await (const entry of source.entries({ listener: (event) => events.push(event), signal })) entries.push(entry);
  return { entries, events };
}

export function pathsOf({ entries }: Walked): readonly string[] {
  return entries.map(({ path }) => displayPath(path));
}

/** Files that contain their own path, with the folders that they need. */
export async function makeTree(
  dir: { file(...names: readonly string[]): string },
  files: readonly string[],
): Promise<void> {
  for (const file of files) {
    fs.mkdirSync(dir.file(file, '..'), { recursive: true });
    fs.writeFileSync(dir.file(file), file);
  }
}
