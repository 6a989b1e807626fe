import { expect, test } from 'vitest';
import { Failure } from '../../src/lib/failure.ts';
import type { ReportedImage } from '../../src/sync/report/report.ts';
import {
  reportedSignature,
  signatureLine,
  signatureWarnings,
} from '../../src/sync/report/signature-report.ts';

function image(source: string, message?: string): ReportedImage {
  const failure = new Failure({ code: 'SIGNATURE_MISSING', about: source, message: message ?? '' });
  const signer = { identity: 'a@b.c', issuer: 'https://x.y', form: 'cosign', policy: '0' } as const;
  const signature =
    message === undefined
      ? reportedSignature({ kind: 'verified', ...signer })
      : reportedSignature({ kind: 'unverified', failure });
  return { source, destination: source, outcome: 'copied', signature, bytes: 0, milliseconds: 0 };
}

test('without the flag nothing is told', () => {
  const { signature: _, ...plain } = image('a/b:1');
  expect(signatureLine([plain])).toBeUndefined();
  expect(signatureWarnings([plain], { dryRun: false })).toEqual([]);
});

test('many images without a signature make one warning a reason, the most frequent first', () => {
  const images = [
    image('h/a:1', 'it is odd'),
    ...['h/b:1', 'h/b:2', 'h/b:3', 'h/b:4', 'h/b:5'].map((source) => image(source, 'it has none')),
    image('h/c:1'),
  ];
  expect(signatureLine(images)).toBe('signatures: 1 verified, 6 missing or invalid');
  expect(signatureWarnings(images, { dryRun: false })).toEqual([
    '5 images copied without a valid signature: it has none: h/b:1, h/b:2, h/b:3 and 2 more',
    '1 image copied without a valid signature: it is odd: h/a:1',
  ]);
});

test('a wall of reasons is cut, and the report has all', () => {
  const images = Array.from({ length: 8 }, (_, index) => image(`h/a:${index}`, `reason ${index}`));
  const warnings = signatureWarnings(images, { dryRun: true });
  expect(warnings).toHaveLength(6);
  expect(warnings.at(-1)).toBe(
    '3 more images would be copied without a valid signature; the report lists the reasons',
  );
});
