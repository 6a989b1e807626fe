// Loaded into the processes of a test by NODE_OPTIONS (see processes.ts): writes down the arguments of each, and of all
// that it starts, as the machine lists them.
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync, readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const { KEEL_TEST_WITNESS: file } = process.env;

function listed(pid, otherwise) {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return line === '' ? otherwise : line;
  } catch {
    // It has ended meanwhile.
    return otherwise;
  }
}

if (file !== undefined && isMainThread) {
  const note = (line) => appendFileSync(file, `${line}\n`);
  note(listed('self', process.argv.join(' ')));
  subscribe('child_process', ({ process: child }) => {
    process.nextTick(() => note(listed(child.pid, child.spawnargs.join(' '))));
  });
}
