/**
 * The log: one JSON object a line, or lines for people in development. Every line passes the masker
 * before it leaves the process (law 14).
 */
import { pino } from 'pino';
import { safeText } from '../cli/safe-text.ts';
import type { Masker } from '../executors/mask.ts';

/** Details of an event, by name. Nothing of an action's arguments belongs here. */
export type LogDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** Writes events by their stable code. */
export interface Log {
  info(code: string, message: string, details?: LogDetails): void;
  warn(code: string, message: string, details?: LogDetails): void;
  error(code: string, message: string, details?: LogDetails): void;
}

/** Makes a log that writes masked lines; `people` for lines that people read. */
export function createLog(parts: {
  readonly masker: Masker;
  readonly write: (line: string) => void;
  readonly people: boolean;
}): Log {
  const { masker, write } = parts;
  if (parts.people) {
    const line =
      (level: string) =>
      (code: string, message: string): void => {
        const at = new Date().toISOString().slice(11, 19);
        write(`${at}  ${level}${safeText(masker.text(`${message} (${code})`))}\n`);
      };
    return { info: line(''), warn: line('warning: '), error: line('error: ') };
  }
  const logger = pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => write(masker.text(line)) },
  );
  return {
    info: (code, message, details = {}) => logger.info({ ...details, code }, message),
    warn: (code, message, details = {}) => logger.warn({ ...details, code }, message),
    error: (code, message, details = {}) => logger.error({ ...details, code }, message),
  };
}
