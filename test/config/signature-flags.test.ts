import { expect, test } from 'vitest';
import { FlagReader } from '../../src/config/flags/flag-reader.ts';
import { readSignatureSettings, SIGNATURE_FLAGS } from '../../src/config/flags/signature-flags.ts';

const NOT_USED = '--trusted-root: it has no effect, because --verify-signatures is off';

test.each([
  [{ 'trusted-root': 'root.json' }, { verifySignatures: 'off', trustedRoot: 'root.json' }, [NOT_USED]],
  [
    { 'trusted-root': 'root.json', 'verify-signatures': 'require' },
    { verifySignatures: 'require', trustedRoot: 'root.json' },
    [],
  ],
  [{}, { verifySignatures: 'off', trustedRoot: undefined }, []],
])('a trusted root is used where signatures are verified, and is told otherwise: %j', (given, read, told) => {
  const values = new Map(Object.entries(given));
  const flags = new FlagReader(SIGNATURE_FLAGS, { values, environment: {}, label: (name) => `--${name}` });
  const notices = new Set<string>();
  expect(readSignatureSettings(flags, notices)).toEqual(read);
  expect([...notices]).toEqual(told);
});
