#!/bin/sh
# An agent in plain curl: one call for each of three answers. Needs EXEQUATUR_KEY.
set -eu
url=${EXEQUATUR_URL:-http://localhost:7373}

act() {
  # A fresh key for each action; repeating a call with the same one never executes twice.
  idempotency=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  # The key comes from standard input: other users of the machine can read arguments.
  printf 'Authorization: Bearer %s\n' "$EXEQUATUR_KEY" |
    curl -sS "$url/v1/actions" --max-time 90 --retry 4 --retry-connrefused -H @- \
      -H "Idempotency-Key: $idempotency" -H 'Content-Type: application/json' \
      -H 'Prefer: wait=10' -w '\n' -d "$1" |
    sed -n 's/.*"state":"\([a-z_]*\)".*"executed":"\([a-z]*\)".*/\1, executed: \2/p; t
      s/.*"executed":"\([a-z]*\)".*"state":"\([a-z_]*\)".*/\2, executed: \1/p; t
      s/.*/no answer about an action: &/p'
}

act '{"target":"notebook","operation":"append","args":{"text":"hello"}}'
act '{"target":"notebook","operation":"erase","args":{"pages":3},"note":"making room"}'
act '{"target":"notebook","operation":"erase","args":{"pages":1000}}'
