import { milliseconds } from '../../lib/duration.ts';
import { takeFileLock } from '../../lib/file-lock.ts';
import { pause } from '../../lib/pause.ts';
import { onDisk } from './disk-failure.ts';

/** How soon a run notices that another one is done with a file. */
const PATIENCE = milliseconds(200);

interface Sharing {
  /** The flag that chooses its folder, for messages. */
  readonly flag: '--download-output' | '--image-output';
  readonly signal: AbortSignal;
  /** Called once if another run has the file. */
  readonly onWait?: (() => void) | undefined;
}

/**
 * Takes a file that is to be fetched, in a folder that several runs may share: waits until no other run has it. Dispose
 * the result to release it. Throws `DISK_FULL`, `DISK_REFUSED`, or the signal's reason.
 */
export async function takeFile(file: string, { flag, signal, onWait }: Sharing): Promise<Disposable> {
  for (let isFirst = true; ; isFirst = false) {
    const lock = await onDisk(file, flag, async () => takeFileLock(`${file}.lock`));
    if (lock !== undefined) return lock;
    if (isFirst) onWait?.();
    await pause(PATIENCE, signal);
  }
}
