import { lstatSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { tryWriting } from './atomic-file.ts';
import { Failure, failureCode } from './failure.ts';

/** What a file that is about to be written may replace. */
interface Replaceable {
  /** What it is, such as `report`. */
  readonly what: string;
  /** Returns whether the file, which exists and is not empty, is of this kind. May throw what reading it throws. */
  readonly isOne: (file: string) => boolean;
}

/**
 * Makes sure, before the work begins, that a file can be written when it ends and that no other file of the user is lost:
 * the file does not exist, is empty, or is one of the same kind. Pipes and devices are always accepted. Throws
 * `FILE_NOT_OURS`, and `PATH_UNUSABLE` if no file can be there.
 */
export function requireOutputFile(file: string, { what, isOne }: Replaceable): void {
  const status = statOf(file);
  if (status?.isDirectory() === true) throw unwritable(file, 'this is a folder', 'choose the path of a file');
  if (status !== undefined && !status.isFile()) return;
  try {
    tryWriting(file);
  } catch (error) {
    throw impossible(file, error);
  }
  if (status === undefined || status.size === 0) return;
  let isReplaceable: boolean;
  try {
    isReplaceable = isOne(file);
  } catch (error) {
    const message = `this file exists and cannot be read (${failureCode(error)}), so it may not be a ${what}`;
    throw unwritable(file, message, `check its permissions, or choose another path for the ${what}`, error);
  }
  if (isReplaceable) return;
  throw new Failure({
    code: 'FILE_NOT_OURS',
    fault: 'usage',
    about: file,
    message: `this file exists and is not a ${what}; keel-pkg left it unchanged`,
    hint: `choose another path for the ${what}, or move the file away`,
  });
}

function statOf(file: string): ReturnType<typeof statSync> {
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    const isLink = found === undefined && lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink();
    if (isLink)
      throw unwritable(file, 'this is a symbolic link to nothing', 'remove it, or choose another path');
    return found;
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (failureCode(error) !== 'ENOTDIR') throw impossible(file, error);
    throw unwritable(file, `${dirname(file)} is not a folder`, 'choose another path', error);
  }
}

function impossible(file: string, error: unknown): Failure<'PATH_UNUSABLE'> {
  const message = `no file can be written there (${failureCode(error)})`;
  return unwritable(file, message, 'check the permissions of the folder, or choose another path', error);
}

function unwritable(about: string, message: string, hint: string, cause?: unknown): Failure<'PATH_UNUSABLE'> {
  return new Failure({ code: 'PATH_UNUSABLE', fault: 'usage', about, message, hint, cause });
}
