/** Every parser that reads what somebody else wrote. */
import type { Subject } from './subject.ts';
import { CASE, CONFIGURATION, INVENTORY, LOCK, POLICY } from './subjects/documents.ts';
import { CEL } from './subjects/expressions.ts';
import { HTTP, SOCKET } from './subjects/http.ts';
import { CURL, OPENAPI } from './subjects/imports.ts';
import { JSON_SUBJECT } from './subjects/json.ts';
import { SQL } from './subjects/statements.ts';
import { ARGUMENT, REFERENCE, TEMPLATE } from './subjects/values.ts';

/** The parsers, in the order in which tables show them. */
export const SUBJECTS: readonly Subject[] = [
  JSON_SUBJECT,
  POLICY,
  CEL,
  INVENTORY,
  LOCK,
  SQL,
  TEMPLATE,
  REFERENCE,
  CASE,
  CONFIGURATION,
  CURL,
  OPENAPI,
  ARGUMENT,
  HTTP,
  SOCKET,
];
