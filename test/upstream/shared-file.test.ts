import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeFile } from '../../src/upstream/fetch/shared-file.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const flag = '--download-output';

test('a file that another has is waited for, and that is told once', async () => {
  const file = join(scratchFolder(), 'kubelet');
  const { signal } = new AbortController();
  const first = await takeFile(file, { flag, signal });
  let waits = 0;
  const second = takeFile(file, {
    flag,
    signal,
    onWait: () => {
      waits += 1;
      first[Symbol.dispose]();
    },
  });
  (await second)[Symbol.dispose]();
  expect(waits).toBe(1);
});

test('waiting ends with the reason of its signal', async () => {
  const file = join(scratchFolder(), 'kubelet');
  const stop = new AbortController();
  using _ = await takeFile(file, { flag, signal: stop.signal });
  const reason = new Error('stopped');
  const onWait = (): void => stop.abort(reason);
  await expect(takeFile(file, { flag, signal: stop.signal, onWait })).rejects.toBe(reason);
});

test('a folder that refuses it is told with the flag that chooses another', async () => {
  const { signal } = new AbortController();
  await expect(takeFile('/proc/kubelet', { flag, signal })).rejects.toMatchObject({
    code: 'DISK_REFUSED',
    hint: expect.stringContaining(flag),
  });
});
