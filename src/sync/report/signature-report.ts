import { countOf, formatCount, joinWords } from '../../lib/text/sentence.ts';
import type { SignatureVerdict } from '../../signatures/verdict.ts';
import { type Report, type ReportedImage, reasonOf } from './report.ts';

type ReportedSignature = NonNullable<ReportedImage['signature']>;

/** Returns a verdict about a signature as a report states it. */
export function reportedSignature(verdict: SignatureVerdict): ReportedSignature {
  switch (verdict.kind) {
    case 'exempt':
      return { status: 'exempt' };
    case 'verified': {
      const { identity, issuer, form } = verdict;
      return { status: 'verified', identity, issuer, form };
    }
    case 'unverified':
      return { status: 'unverified', reason: reasonOf(verdict.failure) };
  }
}

type Told = Pick<ReportedImage, 'source' | 'outcome' | 'signature' | 'reason'>;

function isRefused({ outcome, reason }: Told): boolean {
  return outcome === 'failed' && reason?.code.startsWith('SIGNATURE_') === true;
}

/** Returns a line with the numbers of verified and unverified signatures. Undefined if none was checked. */
export function signatureLine(images: readonly Told[]): string | undefined {
  const count = (status: ReportedSignature['status']): number =>
    images.filter(({ signature }) => signature?.status === status).length;
  const unverified = count('unverified') + images.filter(isRefused).length;
  const parts = [
    [count('verified'), 'verified'],
    [unverified, 'missing or invalid'],
    [count('exempt'), 'not verified, because the policy of their registry is "off"'],
  ] as const;
  const told = parts.flatMap(([number, words]) => (number === 0 ? [] : [`${formatCount(number)} ${words}`]));
  return told.length === 0 ? undefined : `signatures: ${told.join(', ')}`;
}

const REASONS_TOLD = 5;
const IMAGES_NAMED = 3;

/** Returns a warning for each reason why images were copied without a trusted signature. */
export function signatureWarnings(
  images: readonly Told[],
  { dryRun }: Pick<Report['options'], 'dryRun'>,
): string[] {
  const open = images.flatMap(({ source, signature }) =>
    signature?.status === 'unverified' ? [{ source, reason: signature.reason }] : [],
  );
  const groups = [...Map.groupBy(open, ({ reason }) => reason?.message ?? '')].toSorted(
    ([, one], [, other]) => other.length - one.length,
  );
  const verb = dryRun ? 'would be copied' : 'copied';
  const told = groups.slice(0, REASONS_TOLD).map(([message, group]) => {
    const names = group.slice(0, IMAGES_NAMED).map(({ source }) => source);
    const more = group.length - names.length;
    const named = joinWords(more > 0 ? [...names, `${formatCount(more)} more`] : names);
    return `${countOf(group.length, 'image')} ${verb} without a valid signature: ${message}: ${named}`;
  });
  const left = groups.slice(REASONS_TOLD).reduce((sum, [, group]) => sum + group.length, 0);
  if (left === 0) return told;
  return [
    ...told,
    `${countOf(left, 'more image')} ${verb} without a valid signature; the report lists the reasons`,
  ];
}

/**
 * Returns the warning about tags of signatures that were left unchanged because others changed them. Undefined if there
 * are none.
 */
export function leftAloneWarning(
  images: readonly Pick<ReportedImage, 'destination' | 'reason'>[],
): string | undefined {
  const alone = images.filter(({ reason }) => reason?.code === 'LEFT_ALONE');
  if (alone.length === 0) return undefined;
  const names = alone.slice(0, IMAGES_NAMED).map(({ destination }) => destination);
  const more = alone.length - names.length;
  const named = joinWords(more > 0 ? [...names, `${formatCount(more)} more`] : names);
  return (
    `${countOf(alone.length, 'tag of signatures was', 'tags of signatures were')} left unchanged, because others added signatures or replaced them at ` +
    `the destination; the signatures of the source are missing there until you delete the tag or merge both: ${named}`
  );
}
