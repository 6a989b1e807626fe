import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { expect, test } from 'vitest';
import { readAuthorities } from '../../src/lib/http/certificate-authorities.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

test('without a file the usual ones are left to Node', async () => {
  expect(await readAuthorities(undefined)).toBeUndefined();
});

test('those of a file come beside the usual ones', async () => {
  const file = join(scratchFolder(), 'ca.pem');
  const pem = '-----BEGIN CERTIFICATE-----\nMAoC\n-----END CERTIFICATE-----\n';
  writeFileSync(file, pem);
  expect(await readAuthorities(file)).toEqual([...getCACertificates('default'), pem]);
});

test.each<[what: string, text: string | undefined, message: string]>([
  ['that is not there', undefined, 'there is no such file'],
  ['without a certificate', 'MAoC', 'it holds no certificate'],
  ['in DER', '0\u0003\u0002\u0001\u0001', 'it is in the binary form of certificates (DER)'],
  ['with a key only', '-----BEGIN PRIVATE KEY-----', 'it holds no certificate'],
])('a file %s is refused', async (_what, text, message) => {
  const file = join(scratchFolder(), 'ca.pem');
  if (text !== undefined) writeFileSync(file, text);
  await expect(readAuthorities(file)).rejects.toMatchObject({
    code: 'CA_FILE_MALFORMED',
    about: `--ca-file ${file}`,
    message,
  });
});

test('a folder is refused', async () => {
  await expect(readAuthorities(scratchFolder())).rejects.toMatchObject({
    code: 'CA_FILE_MALFORMED',
    message: 'it cannot be read: EISDIR',
  });
});
