/**
 * The files of an empty start: valid as they are, with an example that is not active. Everything is
 * denied until somebody writes otherwise.
 */

import { schemaLine } from '../facts/document/schema-line.ts';

/** `exequatur.yaml`: every key with its default. */
const CONFIGURATION = `${schemaLine('configuration')}
# The configuration of this layer. Every key but \`version\` may be left out; what is shown is the
# default. All keys: docs/configuration.md. Relative paths begin at this file.
version: 1
# tenant: default

# On loopback. For another address list the names by which the layer may be reached.
# listen: { host: 127.0.0.1, port: 7373 }

# Where the store, the operator's key and what a daemon says of itself are kept; readable by its owner only.
# data: data
# inventory: inventory.yaml
# policy: policy.yaml

# What separates the layer from the agents, in the operator's word: none, separate-user, separate-host.
# With \`none\`, whoever runs as the same user can go around the layer, and it says so.
isolation: none

# Erase what settled and denied actions carried, so long after; kept for ever unless said.
# retention: { settled: 90d, denied: 30d }

# limits: { sendDelayMax: 2s, deadlineDefault: 1h }
`;

/** `inventory.yaml`: no targets, and one to begin with. */
const INVENTORY = `${schemaLine('inventory')}
# The systems that actions can touch, and what can be done there. An agent's word about a system
# counts for nothing: what is not written here does not exist for it. docs/inventory.md
version: 1
targets: {}

# To begin, replace the line above by:
#
# targets:
#   site:
#     environment: production # which it is unless said otherwise
#     owner: team-shop
#     http: { url: 'https://api.shop.example', auth: bearer }
#     credentials: # references; the values stay outside
#       act: 'env:SITE_TOKEN'
#       look: 'env:SITE_LOOK_TOKEN' # cannot write; previews and probes use it
#     operations:
#       publish:
#         kind: code.execute
#         args: { version: string }
#         request:
#           POST: /v1/releases
#           json: { version: $version }
`;

/** `policy.yaml`: no rules, so that everything is denied. */
const POLICY = `${schemaLine('policy')}
# Who may do what, and what it takes. Without a matching \`allow\`, everything is denied. docs/policy.md
version: 1
roles: [release, lead]
rules: []

# To begin, replace the line above by:
#
# rules:
#   # Who may do it at all.
#   - id: release-publishes
#     match: { kind: code.execute, principal: { role: release } }
#     allow: true
#
#   # What it takes besides, in production.
#   - id: production-needs-a-lead
#     match: { kind: code.execute, target: { environment: production } }
#     require:
#       - approval: { from: role:lead, count: 1, validFor: 1h }
`;

/** The files by name. */
export const STARTER_FILES: Readonly<Record<string, string>> = {
  'exequatur.yaml': CONFIGURATION,
  'inventory.yaml': INVENTORY,
  'policy.yaml': POLICY,
};
