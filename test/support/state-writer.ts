import { State } from '../../src/sync/state/state.ts';
import { destinationOf, seenImage } from './state-sample.ts';

// Run as a process of its own: records one repository after the other in the state file named by the first argument,
// `<count>` of them by the second, each as 40 images and 40 blobs, and tells the number of each one it has recorded.
const [, , file = '', count = '0'] = process.argv;
const state = State.open(file, {
  reporter: { warning: (text) => void process.stdout.write(`warning ${text}\n`) },
});
process.stdout.write(`restored ${state.restored}\n`);
for (let number = 0; number < Number(count); number += 1) {
  const images = Array.from({ length: 40 }, (_, tag) => seenImage(`component-${number}`, `v1.${tag}`));
  state.record(destinationOf(`component-${number}`), {
    images,
    blobs: images.map(({ sourceDigest }) => sourceDigest),
  });
  process.stdout.write(`recorded ${number}\n`);
}
state.close();
process.stdout.write('closed\n');
