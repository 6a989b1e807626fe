import { closeSync, existsSync, openSync, renameSync } from 'node:fs';
import { failureCode } from '../../lib/failure.ts';
import { unusableFile } from './state-file-kind.ts';

/** Why a state file is not used: it is an old BoltDB, unreadable, too large, or written by a newer or older keel-pkg. */
export type AsideReason = 'bolt' | 'damaged' | 'oversized' | 'newer' | 'older';

const EXPLANATIONS: Readonly<Record<AsideReason, string>> = {
  bolt: 'is a BoltDB of an earlier generation of synctl',
  damaged: 'is a damaged state file',
  oversized: 'holds more than a state may hold',
  newer: 'was written by a newer version of synctl',
  older: 'was written by an older version of synctl',
};

/** Returns the reason in words, to follow `this` or `it`. */
export function explainAside(reason: AsideReason): string {
  return EXPLANATIONS[reason];
}

/**
 * Renames a file to `<file>.<reason>-<UTC time>`, together with SQLite's journals. Returns the new name, which has a
 * number if the name was taken: nothing is overwritten. Throws `STATE_UNUSABLE`.
 */
export function setAside(file: string, reason: AsideReason, now: Date): string {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
  try {
    const target = reserveName(`${file}.${reason}-${time}`);
    renameSync(file, target);
    // SQLite would apply a journal that is left behind to the new file.
    for (const suffix of ['-journal', '-wal', '-shm']) {
      if (existsSync(file + suffix)) renameSync(file + suffix, target + suffix);
    }
    return target;
  } catch (error) {
    throw unusableFile(file, 'be set aside', error);
  }
}

/**
 * Creates an empty file of that name, with a number if needed, so that no other process takes the name. Returns the
 * name.
 */
function reserveName(wanted: string): string {
  for (let attempt = 1; ; attempt += 1) {
    const name = attempt === 1 ? wanted : `${wanted}-${attempt}`;
    try {
      closeSync(openSync(name, 'wx'));
      return name;
    } catch (error) {
      if (failureCode(error) !== 'EEXIST') throw error;
    }
  }
}
