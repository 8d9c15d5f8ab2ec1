/** A cluster, its log as it is written, and what a copy of it has to answer; below `folder`. */
export function policyText(folder: string, programs: string): string {
  return `version: 1
site: office
repositories:
  near: { url: ${folder}/near, password: { file: ${folder}/password }, site: office }
components:
  shop-db:
    postgres: { url: { file: ${folder}/url }, programs: [${programs}] }
    backups: { full: { method: physical, at: "02:00", to: { near: { keep: { daily: 15 } } } } }
    log: { mode: stream, to: { near: { window: 14d } } }
    verify:
      - every: 1d
        do: restore
        checks:
          - { name: orders, sql: "select count(*) from orders", at-least: 20000 }
          - { name: no orphans, orphans: { table: orders, column: customer, references: customers.id } }
`;
}
