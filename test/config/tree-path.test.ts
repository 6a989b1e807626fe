import { expect, test } from 'vitest';
import { parseTreePath } from '../../src/config/tree-path.ts';

test.each(['a', 'kubernetes/bin/tool', '.hidden', 'a..b', '...', 'a/-x_@%+=:,.~', 'x'.repeat(255)])(
  '%s is a path within the package',
  (text) => {
    expect(parseTreePath(text, 'path')).toBe(text);
  },
);

test.each([
  ['', '"" is not a path within the package'],
  ['/a', '"/a" is not a path within the package'],
  ['a/', '"a/" is not a path within the package'],
  ['a//b', '"a//b" is not a path within the package'],
  ['.', '"." is not a path within the package'],
  ['a/./b', '"a/./b" is not a path within the package'],
  ['..', '".." is not a path within the package'],
  ['a/../../etc/passwd', '"a/../../etc/passwd" is not a path within the package'],
  ['a\\b', '"a\\\\b" is not a path within the package'],
  ['a b', '"a b" is not a path within the package'],
  ['a\nb', '"a\\nb" is not a path within the package'],
  ['ä', '"ä" is not a path within the package'],
  ['x'.repeat(256), 'the path has 256 characters, 255 are allowed'],
])('%j is none', (text, message) => {
  expect(() => parseTreePath(text, 'the path')).toThrow(
    expect.objectContaining({ code: 'PATH_UNSAFE', about: 'the path', message }),
  );
});
