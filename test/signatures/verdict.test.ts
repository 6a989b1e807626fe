import { describe, expect, test } from 'vitest';
import { byAnother, policyFailure, type Reason, signatureFailure } from '../../src/signatures/verdict.ts';

const ME = { identity: 'me@example.com', issuer: 'https://accounts.example.com' };
const YOU = { identity: 'you@example.com', issuer: 'https://accounts.example.com' };
const ANOTHER_ROOT = { text: 'it is not in a trusted log', isOfAnotherRoot: true } as const;
const WANTED = 'the policy requires one by me@example.com (https://accounts.example.com)';

describe('a refused image says what was wrong', () => {
  test.each<[what: string, reasons: readonly string[], message: string]>([
    ['with its one signature', ['it is late'], `its signature is not accepted: it is late; ${WANTED}`],
    [
      'with each of two',
      ['it is late', 'it is by x'],
      `none of its 2 signatures is accepted: it is late; it is by x; ${WANTED}`,
    ],
    [
      'once, where several have the same fault',
      ['it is late', 'it is late', 'it is late'],
      `none of its 3 signatures is accepted: it is late; ${WANTED}`,
    ],
    [
      'with four of many',
      ['a', 'b', 'c', 'd', 'e', 'f'],
      `none of its 6 signatures is accepted: a; b; c; d; and so on; ${WANTED}`,
    ],
    ['with four', ['a', 'b', 'c', 'd'], `none of its 4 signatures is accepted: a; b; c; d; ${WANTED}`],
  ])('%s', (_what, reasons, message) => {
    expect(
      signatureFailure('pause:3.10', { reasons: reasons.map((text) => ({ text })), hasRest: false }, [ME]),
    ).toMatchObject({
      code: 'SIGNATURE_REFUSED',
      about: 'pause:3.10',
      message,
    });
  });
});

test('a refusal says that there may be more signatures, which nobody looked at', () => {
  const reasons = Array.from({ length: 64 }, () => ({ text: 'it is late' }));
  expect(signatureFailure('pause:3.10', { reasons, hasRest: true }, [ME]).message).toBe(
    `none of the first 64 of its signatures is accepted: it is late; ${WANTED}`,
  );
});

test('an image without a signature says whose is wanted', () => {
  expect(signatureFailure('pause:3.10', { reasons: [], hasRest: false }, [ME, YOU])).toMatchObject({
    code: 'SIGNATURE_MISSING',
    about: 'pause:3.10',
    message: `it has no signature; ${WANTED} or you@example.com (https://accounts.example.com)`,
  });
});

test('a signature by someone else says by whom', () => {
  expect(byAnother({ ...YOU, identityKind: 'email' }, [])).toBe(
    'it is by you@example.com (https://accounts.example.com)',
  );
});

test('a signature of whom a star no longer covers says what stars stand for', () => {
  const issuer = 'https://gitlab.com';
  const identity = 'https://gitlab.com/org/app//.gitlab-ci.yml@refs/heads/main';
  const found = { identity, issuer, identityKind: 'uri' } as const;
  const seen = `it is by ${identity} (${issuer})`;
  const wanted = { identity: 'https://gitlab.com/org/*', issuer };
  expect(byAnother(found, [ME, wanted])).toBe(
    `${seen}, and "*" in https://gitlab.com/org/* matches neither "/" nor "@"`,
  );
  expect(byAnother(found, [{ ...wanted, identity: 'https://gitlab.com/other/*' }])).toBe(seen);
  expect(byAnother(found, [{ ...wanted, issuer: 'https://example.com' }])).toBe(seen);
});

test.each<[what: string, wanted: Partial<typeof ME>, told: string]>([
  [
    'the slash at the end of its issuer',
    { issuer: `${ME.issuer}/` },
    ', and only the "/" at the end of its issuer differs from the policy',
  ],
  [
    'small and capital letters',
    { identity: 'Me@example.com' },
    ', and only upper and lower case differ from the policy',
  ],
  ['more', { issuer: 'https://accounts.example.com/team/' }, ''],
  ['the kind of its name', {}, ''],
])('a signature by someone who differs in %s says so', (_what, wanted, told) => {
  const kind = Object.keys(wanted).length === 0 ? 'uri' : 'email';
  const text = byAnother({ ...ME, identityKind: kind }, [YOU, { ...ME, ...wanted }]);
  expect(text.replace(/^it is by me@example\.com.*?\(https:\/\/accounts\.example\.com\)/, '')).toBe(told);
});

test.each<[what: string, reasons: readonly Reason[], trustedRoot: string | undefined, hint: RegExp]>([
  [
    'it is of another Sigstore',
    [ANOTHER_ROOT],
    undefined,
    /; if it was signed at another Sigstore than the public one, .*--trusted-root, in a workflow trusted-root$/,
  ],
  [
    'the trusted root is of another one',
    [ANOTHER_ROOT],
    'root.json',
    /; if it was signed at another Sigstore than that of root\.json, .*--trusted-root, in a workflow trusted-root$/,
  ],
  ['it is by someone else', [{ text: 'it is by x' }], 'root.json', /name them under "signatures"$/],
  [
    'one of two is by someone else',
    [ANOTHER_ROOT, { text: 'it is by x' }],
    undefined,
    /name them under "signatures"$/,
  ],
])('a refusal because %s says what to change', (_what, reasons, trustedRoot, hint) => {
  const { hint: told } = signatureFailure('pause:3.10', { reasons, hasRest: false, trustedRoot }, [ME]);
  expect(told).toMatch(hint);
});

test('a signature by someone with a name of kilobytes says how it begins', () => {
  const told = byAnother({ identity: 'a'.repeat(5000), issuer: 'b'.repeat(5000), identityKind: 'email' }, []);
  expect(told).toBe(`it is by ${'a'.repeat(299)}… (${'b'.repeat(299)}…)`);
});

test('a signature by a name of another kind than it seems says so', () => {
  expect(byAnother({ ...ME, identityKind: 'uri' }, [])).toBe(
    'it is by me@example.com, which is a URI in its certificate (https://accounts.example.com)',
  );
  const identity = 'https://github.com/a/b';
  expect(byAnother({ ...ME, identity, identityKind: 'email' }, [])).toBe(
    `it is by ${identity}, which is an e-mail address in its certificate (${ME.issuer})`,
  );
});

test('an image without a policy says where to write one', () => {
  expect(policyFailure('quay.io/a:1', 'quay.io', 'versions.json')).toMatchObject({
    code: 'SIGNATURE_POLICY_MISSING',
    about: 'quay.io/a:1',
    message: 'no policy names the signer of the images of quay.io',
    hint: 'add to versions.json "signatures": {"quay.io/…": {"identity": "…", "issuer": "…"}}, or "quay.io": "off"',
  });
});
