/** The configuration that the demonstration writes into its temporary folder. */

/** Where everything is. */
export interface Places {
  readonly folder: string;
  readonly paymentsPort: number;
  readonly slowPaymentsPort: number;
  readonly node: string;
  readonly deploy: string;
}

/** Each file's name and text. */
export function configurationOf(places: Places): Readonly<Record<string, string>> {
  return {
    'exequatur.yaml': CONFIGURATION,
    'policy.yaml': policy(),
    'inventory.yaml': inventory(places),
  };
}

const CONFIGURATION = `version: 1
listen: { host: 127.0.0.1, port: 0 }
data: data
inventory: inventory.yaml
policy: [policy.yaml]
`;

/** The maintenance window begins in two hours, whenever the demonstration is played. */
function policy(): string {
  const opens = new Date(Date.now() + 2 * 3_600_000);
  const closes = new Date(Date.now() + 4 * 3_600_000);
  return `version: 1
roles: [support-agent, release-agent, payments-lead, executive]

calendars:
  production-maintenance:
    zone: Etc/UTC
    open: [{ weekly: Mon-Sun ${minute(opens)}-${minute(closes)} }]

rules:
  - id: support-refunds
    match: { kind: money.transfer, principal: { role: support-agent } }
    when: measures.amount <= 500.00
    allow: true

  - id: refunds-over-20
    match: { kind: money.transfer }
    when: measures.amount > 20.00
    require:
      - approval: { from: role:payments-lead, count: 1, askFor: 8h, validFor: 1h }

  - id: refunds-over-100
    match: { kind: money.transfer }
    when: measures.amount > 100.00
    require:
      - approval: { from: role:executive, count: 1, askFor: 8h, validFor: 1s }

  - id: support-deletes-with-consent
    match: { kind: data.delete, principal: { role: support-agent } }
    allow:
      - approval: { from: role:executive, count: 1, askFor: 8h, validFor: 1h }

  - id: release-agents-deploy
    match: { kind: code.execute, principal: { role: release-agent } }
    allow: true

  - id: deployments-need-consent
    match: { kind: code.execute }
    require:
      - approval: { from: role:executive, count: 1, askFor: 8h, validFor: 1h }

  - id: production-in-its-window
    match: { kind: code.execute, target: { environment: production } }
    require:
      - window: production-maintenance
`;
}

/** Hours and minutes in UTC. */
function minute(date: Date): string {
  return date.toISOString().slice(11, 16);
}

function inventory(places: Places): string {
  return `version: 1
targets:
${payments(places, 'shop-payments', places.paymentsPort)}
${payments(places, 'slow-payments', places.slowPaymentsPort)}
${database(places)}
${site(places, 'site', 'current')}
${site(places, 'site-production', 'production')}`;
}

function payments({ folder }: Places, name: string, port: number): string {
  return `  ${name}:
    http: { url: "http://127.0.0.1:${String(port)}", auth: bearer, allow: [127.0.0.0/8] }
    probe: { GET: /v1/account, field: /id, environment: { field: /mode, values: { test: staging, live: production } } }
    credentials: { act: "file:${folder}/act.token", look: "file:${folder}/look.token" }
    operations:
      refund:
        kind: money.transfer
        args: { charge: string(40), amount: money(EUR) }
        request: { POST: /v1/refunds, form: { charge: $charge, amount: $amount.minor, "metadata[exequatur]": $executionId } }
        preview: { GET: "/v1/charges/{charge}", material: [/customer], context: [/description, /amount_refunded] }
        measures: { amount: args.amount, payee: preview.customer }
        reconcile: { GET: /v1/refunds, query: { charge: $charge }, find: metadata.exequatur }
        timeout: 30s
        visible: [amount]
`;
}

function database({ folder }: Places): string {
  return `  shop-db:
    sqlite: "${folder}/customers.db"
    operations:
      delete-customers:
        kind: data.delete
        args: { closedBefore: date }
        sql: DELETE FROM customers WHERE closed_at < :closedBefore
        key: id
        max: { rows: 1000 }
        visible: [closedBefore]
`;
}

function site(places: Places, name: string, folder: string): string {
  const { node, deploy } = places;
  const releases = `${places.folder}/releases`;
  return `  ${name}:
    process: { cwd: "${places.folder}/${folder}", user: same-as-layer }
    probe: { file: "${places.folder}/${folder}/system.json", field: /id, environment: { field: /environment, values: { staging: staging, production: production } } }
    operations:
      deploy:
        kind: code.execute
        args: { version: string(40) }
        run: ["${node}", "${deploy}", --releases, "${releases}", --version, $version, --execution, $executionId]
        files: ["${deploy}"]
        reconcile: { run: ["${node}", "${deploy}", --look, $executionId], exits: { 0: succeeded } }
        timeout: 30s
        visible: [version]
`;
}
