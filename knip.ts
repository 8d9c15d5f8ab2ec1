import type { KnipConfig } from 'knip';

/** In production an export for a test is fine as long as its own file uses it; otherwise it is not. */
const production = process.argv.includes('--production');

const config: KnipConfig = {
  // Of the system; test/absences.ts says what lacks it.
  ignoreBinaries: ['script', 'openssl', 'apt-get', 'ssh-keygen'],
  entry: [
    'src/main.js!',
    'src/**/*-worker.ts!',
    'test/servers/reordering-sftp.ts',
    // What tests of any room stand on is offered like the rest.
    'src/clock/manual-clock.ts!',
    'src/storage/{memory,memory-archive,memory-versions,fault,powercut,semantics,served-memory}.ts!',
    'scripts/*.ts',
    // Started by the script beside it.
    'examples/sqlite/sqlite-component.mjs',
    // Run by whoever has no Holdfast.
    'examples/read-log/read-log.mjs',
    'test/support/*-server.ts',
    'test/support/count-openings.ts',
    'test/support/shifted-clock.ts',
    'scripts/checks/list-modules.ts',
    '**/*.test.ts',
    'bench/{measure,pipeline,postgres-base,postgres-growth,postgres-push,postgres-replay,primitives,profile,records,slow-link}.ts',
  ],
  project: ['src/**/*.{js,ts}!', 'scripts/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts', 'examples/**/*.mjs'],
  ignoreExportsUsedInFile: production || { interface: true, type: true },
  // Programs that scripts/ok.ts runs.
  ignoreDependencies: ['oxfmt', 'oxlint', 'oxlint-tsgolint'],
};

export default config;
