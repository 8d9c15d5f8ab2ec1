import type { Postgres } from '../servers/postgres.ts';
import type { Redis } from '../servers/redis.ts';

/**
 * For what no server can be had of here: programs of the example, each with the folder whose files it prints as an
 * archive, or the file that it prints.
 */
export type StandIns = Readonly<Record<string, { readonly folder: string } | { readonly file: string }>>;

export interface Asked {
  readonly postgres: Postgres;
  readonly redis: Redis;
  readonly standIns: StandIns;
  /** Where a file or folder of the example lies. */
  readonly live: (path: string) => string;
}

/** A dump command of the example, so that it asks what is here by a program that is here; the rest of the line stays. */
export function commandHere(line: string, asked: Asked): string {
  const [program = ''] = line.split(' ');
  const rest = line.slice(program.length).replaceAll(/ \/\S+/g, (path) => ` ${asked.live(path.slice(1))}`);
  return `${programHere(program, asked)}${rest}`;
}

function programHere(program: string, { postgres, redis, standIns, live }: Asked): string {
  if (program === 'pg_dump') return `${postgres.before} pg_dump`;
  if (program === 'redis-cli') return redis.client();
  const { [program]: prints } = standIns;
  if (prints === undefined) return program;
  const command = 'folder' in prints ? `tar -C ${live(prints.folder)} -cf - .` : `cat ${live(prints.file)}`;
  // What the example says to its program is said to this one, too, which takes no notice.
  return `sh -c 'exec ${command}' --`;
}
