import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandUri, parseUriTemplate, usesField } from '../../src/config/uri-template.ts';
import { Failure } from '../../src/lib/failure.ts';

describe('parseUriTemplate', () => {
  it.each([
    ['https://e.org/v{{.Tag}}/a-{{.Arch}}', 'https://e.org/v1.2.3/a-arm64'],
    ['https://e.org/v{{ .Tag }}/a-{{  .Arch}}', 'https://e.org/v1.2.3/a-arm64'],
    ['https://e.org/v{{- .Tag -}}/a', 'https://e.org/v1.2.3/a'],
    ['https://e.org/{{.Tag}}/{{.Tag}}', 'https://e.org/1.2.3/1.2.3'],
    ['https://e.org/a', 'https://e.org/a'],
  ])('%s gives %s', (text, expected) => {
    expect(expandUri(parseUriTemplate(text), { tag: '1.2.3', arch: 'arm64' }).href).toBe(expected);
  });

  it.each([
    '',
    'e.org/a',
    'ftp://e.org/a',
    'file:///etc/passwd',
    'https://e.org/',
    'https://e.org',
    '{{.Tag}}',
    'https://e.org/{{}}',
  ])('refuses %j', (text) => {
    expect(() => parseUriTemplate(text)).toThrow(Failure);
  });

  it('tells which fields an address depends on', () => {
    const template = parseUriTemplate('https://e.org/{{.Tag}}/a');
    expect([usesField(template, 'Tag'), usesField(template, 'Arch')]).toEqual([true, false]);
  });

  it('gives a template or a failure for any text, never another error', () => {
    const text = fc.array(
      fc.constantFrom('https://', 'e.org', '/', '{{', '}}', '.Tag', '.Arch', ' ', '-', 'a'),
      {
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(text, (pieces) => {
        try {
          expect(
            expandUri(parseUriTemplate(pieces.join('')), { tag: 'v1', arch: 'amd64' }).href,
          ).not.toContain('{{');
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
    );
  });
});
