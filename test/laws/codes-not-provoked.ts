/**
 * Error codes that no test provokes, and why. The list may only get shorter: a code in it that a test cites
 * fails the gate, and so does one that the source does not give any more.
 */

const OPEN = 'open: no test yet';

export const CODES_NOT_PROVOKED: Readonly<Record<string, string>> = {
  already_running: OPEN,
  blob_not_whole: OPEN,
  blobs_unreadable: OPEN,
  commit_refused: OPEN,
  connection_not_pinned:
    'needs a socket that connects elsewhere than it was told: a defect of Node',
  daemon_too_slow: 'takes as long as the longest wait of the command',
  database_changed: OPEN,
  demonstration_failed: 'the demonstration is part of the package, and works',
  demonstration_missing: 'the demonstration is part of the package, and is there',
  descriptors_unsupported: 'needs a system without `/proc/self/fd`',
  directory_not_writable: 'the tests may run as root, who writes everywhere',
  draft_incomplete: OPEN,
  draft_too_large: OPEN,
  effect_key_unknown: OPEN,
  engine_lost: OPEN,
  executor_failed: OPEN,
  file_unusable: OPEN,
  halt_ambiguous: OPEN,
  key_file_refused: OPEN,
  lock_moved: OPEN,
  memory_limit_unsupported: 'needs a system without `/proc`',
  operator_key_exposed: OPEN,
  operator_key_malformed: OPEN,
  permissions: OPEN,
  port_taken: OPEN,
  probe_unsupported: 'the inventory refuses such a probe before an executor sees it',
  runs_as_root: 'depends on who runs the tests',
  sql_rows: OPEN,
  too_many_operations: OPEN,
};
