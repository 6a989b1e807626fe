import { readFileSync } from 'node:fs';

/** Linux tells times in hundredths of a second, whatever its clock is. */
const TICKS_PER_SECOND = 100;
/** In `/proc/<pid>/stat`, counted behind the name of the program. */
const USER = 11;
const SYSTEM = 12;
/** In the first line of `/proc/stat`: user, nice, system, and stolen by other machines; the network on loopback is none of them. */
const BUSY = [1, 2, 3, 8];

function ticks(fields: readonly string[], wanted: readonly number[]): number {
  return wanted.reduce((sum, field) => sum + Number(fields[field] ?? 0), 0) / TICKS_PER_SECOND;
}

/** Returns the CPU seconds that a process has used so far, without its children; 0 when it is gone. */
export function processSeconds(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return ticks(text.slice(text.lastIndexOf(')') + 2).split(' '), [USER, SYSTEM]);
  } catch {
    return 0;
  }
}

/** Returns the CPU seconds that all processes of this machine together have used so far. */
export function machineSeconds(): number {
  const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  return ticks(first.split(/ +/), BUSY);
}
