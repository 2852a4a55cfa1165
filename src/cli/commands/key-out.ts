/** A fresh key into a file of its own, so that it never stands on a screen or in a history. */
import { closeSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import type { EnrolledView } from '../../protocol/directory.ts';
import { CliError } from '../cli-error.ts';
import type { CommandContext, Given, OptionSpec } from '../command.ts';
import { safeText } from '../safe-text.ts';

/** Where the key goes instead of the screen. */
export const KEY_OUT: OptionSpec = {
  flags: '--key-out <file>',
  summary: 'write the key into this new file, for its owner only, instead of printing it',
};

/**
 * Enrols and hands over the key. With `--key-out` the file is made before anything is enrolled, so
 * that no key is ever made that has nowhere to go.
 */
export async function enrolled(
  context: CommandContext,
  given: Given,
  enrol: () => Promise<EnrolledView>,
): Promise<void> {
  const file = given.text('key-out');
  if (file === undefined) {
    tellEnrolled(context, await enrol());
    return;
  }
  const descriptor = makeFile(file);
  try {
    const { account, key, keyId } = await enrol();
    writeSync(descriptor, `${key}\n`);
    fsyncSync(descriptor);
    context.tell({ account, keyId, keyFile: file });
    context.say(
      `${account.kind} ${safeText(account.name)} is enrolled; its key ${safeText(keyId)} is in ${safeText(file)}`,
    );
  } catch (error) {
    unlinkSync(file);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function makeFile(file: string): number {
  try {
    return openSync(file, 'wx', 0o600);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new CliError({
      exit: 1,
      code: 'key_file_refused',
      message:
        code === 'EEXIST' ? `\`${file}\` is there already` : `\`${file}\` cannot be made (${code})`,
      hint: 'name a file that does not exist yet; nothing was enrolled',
      cause: error,
    });
  }
}

/** Shows a fresh key, this once. */
function tellEnrolled(context: CommandContext, { account, key, keyId }: EnrolledView): void {
  context.tell({ account, key, keyId });
  context.say(
    `${account.kind} ${safeText(account.name)} is enrolled; its key ${safeText(keyId)}, shown this once:`,
  );
  context.say(safeText(key));
  context.say(
    context.paint(
      'quiet',
      'keep it where nobody else can read it: EXEQUATUR_KEY, or a file for --key-file',
    ),
  );
}
