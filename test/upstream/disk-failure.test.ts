import { expect, it } from 'vitest';
import { Failure } from '../../src/lib/failure.ts';
import { onDisk } from '../../src/upstream/fetch/disk-failure.ts';

const systemError = (code: string): Error => Object.assign(new Error(`${code}: write`), { code });
const failing = (error: Error) =>
  onDisk('/downloads/kubelet', '--download-output', () => Promise.reject(error));

it.each(['ENOSPC', 'EDQUOT', 'EFBIG'])('says where there is no room left (%s)', async (code) => {
  await expect(failing(systemError(code))).rejects.toMatchObject({
    code: 'DISK_FULL',
    about: '/downloads',
    message: 'no space left for kubelet',
    hint: 'free some space, or choose another folder with --download-output',
  });
});

it('says which file cannot be written, and which flag chooses another folder', async () => {
  await expect(failing(systemError('EACCES'))).rejects.toMatchObject({
    code: 'DISK_REFUSED',
    about: '/downloads/kubelet',
    message: 'cannot write or read it (EACCES)',
    hint: 'check the permissions of the folder, or choose another one with --download-output',
  });
});

it('passes on what says already what happened, and what came of it', async () => {
  const failure = new Failure({ code: 'DIGEST_MISMATCH', about: 'a', message: 'b' });
  await expect(failing(failure)).rejects.toBe(failure);
  expect(await onDisk('/downloads/kubelet', '--download-output', async () => 'done')).toBe('done');
});
