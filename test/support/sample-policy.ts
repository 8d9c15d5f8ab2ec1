/** A policy with every part of the form. */
export const samplePolicy = `
version: 1
timezone: UTC
site: office
repositories:
  local: { url: /backups/main, password: { env: PASSWORD }, site: rack-1, media: disk }
  s3:    { url: "s3:https://s3.example.com/acme", password: { env: PASSWORD }, credentials: { profile: writer }, delete-credentials: { profile: pruner }, site: frankfurt, media: object, lock: { mode: compliance, for: 30d } }
  cold:  { url: "s3:https://s3.example.org/acme-cold", password: { env: PASSWORD }, site: virginia, media: archive, storage-class: DEEP_ARCHIVE }
tiers:
  critical:  { rpo: 15m, rto: 1h, copies: 3, media: 2, offsite: 1, immutable: 1, proof: 1d, proof-each: 30d }
  important: { rpo: 2h, rto: 8h, copies: 2 }
components:
  shop-db:
    tier: critical
    postgres: { url: { env: DATABASE_URL } }
    backups:
      full: { method: physical, at: "02:00", to: { local: { keep: { daily: 7 } }, s3: { keep: { daily: 30, weekly: 12, monthly: 12, yearly: 7 } } } }
      cold: { method: logical, at: "Sun 03:00 Europe/Kyiv", to: { cold: { keep: { within: 1y } } } }
    log: { mode: stream, to: { local: { window: 24h }, s3: { window: 14d } } }
    verify:
      - every: 1d
        from: nearest
        do: restore
        checks:
          - { name: users present, sql: "select count(*) from users", at-least: 1000 }
          - { name: fresh, sql: "select max(created_at) from orders", within: 1h }
      - { every: 1w, do: sample, tables: 1 }
  uploads:
    tier: important
    files: { paths: [/srv/uploads], exclude: ["*.tmp"] }
    backups: { hourly: { every: 1h, to: { s3: { keep: { within: 90d } } } } }
  legacy:
    command: { dump: "mydump --all", start: "mystart", load: "myload", check: "mycheck" }
    backups: { nightly: { cron: "0 1 * * *", to: { local: { keep: { last: 7 } } } } }
notify:
  ops: { email: { smtp: { env: SMTP_URL }, to: [ops@example.com] }, on: [failed, verification-failed, objective-at-risk] }
`;
