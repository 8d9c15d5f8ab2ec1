import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asServer, giveToServer } from '../../test/servers/postgres-user.ts';
import type { ArchivingScene } from '../../test/support/archiving-scene.ts';
import { runOk } from '../../test/support/run-program.ts';

/** pgBackRest as the peer of a log: encrypted and compressed as Holdfast's, asynchronous, with two processes. */
export class PgBackRest {
  readonly #program: string;
  readonly #data: string;

  private constructor(program: string, data: string) {
    this.#program = program;
    this.#data = data;
  }

  /** With a repository of its own in `folder`, which is new. */
  static async make({ server }: Pick<ArchivingScene, 'server'>, program: string, folder: string): Promise<PgBackRest> {
    const config = join(folder, 'pgbackrest.conf');
    const repository = [`repo1-path=${folder}/repo`, 'repo1-cipher-type=aes-256-cbc', 'repo1-cipher-pass=secret'];
    const how = ['compress-type=zst', 'compress-level=1', 'archive-async=y', 'process-max=2', 'log-level-console=warn'];
    const paths = ['spool', 'log', 'lock'].map((name) => `${name}-path=${folder}`);
    const cluster = [`pg1-path=${server.data}`, `pg1-port=${new URL(server.url).port}`, 'pg1-user=postgres'];
    const socket = `pg1-socket-path=${server.running.dir.file('sockets')}`;
    writeFileSync(config, ['[global]', ...repository, ...how, ...paths, '[bench]', ...cluster, socket, ''].join('\n'));
    await giveToServer(config);
    const own = new PgBackRest(`${program} --config=${config} --stanza=bench`, server.data);
    await own.#run('stanza-create');
    return own;
  }

  get archiveCommand(): string {
    return `${this.#program} archive-push %p`;
  }

  restoreCommand(data: string): string {
    return `${this.#program} --pg1-path=${data} archive-get %f %p`;
  }

  async push(path: string): Promise<void> {
    await this.#run(`--no-archive-async archive-push ${path}`);
  }

  async #run(words: string): Promise<void> {
    const [as, ...rest] = asServer(['sh', '-c', `cd ${this.#data} && exec ${this.#program} ${words}`]);
    await runOk(as, rest);
  }
}
