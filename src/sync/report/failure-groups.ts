import type { ReportedImage } from './report.ts';
import { splitName } from './wording.ts';

type Failed = Pick<ReportedImage, 'source' | 'destination' | 'outcome' | 'reason' | 'claimants'>;

/** Statuses that are about the account or the service: the answer is the same for each image. */
const ABOUT_ALL: ReadonlySet<number> = new Set([401, 403, 405, 429]);

/**
 * Returns images that did not arrive in groups with the same cause, the first to fail first. The texts of refusals
 * differ by names and request numbers, so refusals are compared by host, status, code and the other words.
 */
export function groupFailures<Image extends Failed>(
  images: readonly Image[],
): (readonly [Image, ...Image[]])[] {
  return [...Map.groupBy(images, causeOf).values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [[first, ...others] as const],
  );
}

function causeOf(image: Failed): string {
  const { source, destination, outcome, reason, claimants = [] } = image;
  const { code, message, hint, host, status = 0 } = reason ?? {};
  // Messages of collisions contain the tag.
  if (outcome === 'collision')
    return JSON.stringify([outcome, [destination, ...claimants].map(repositoryOf)]);
  if (ABOUT_ALL.has(status) || status >= 500)
    return JSON.stringify([outcome, host, status, code, hint, wordsOf(message ?? '', [source, destination])]);
  const which = isAboutOne(image) ? repositoryOf(source) : undefined;
  return JSON.stringify([outcome, which, host, message, hint]);
}

/** Longer words are digests and numbers of requests. */
const WORD_LENGTH = 20;

/** Returns a text without what differs from image to image: parts of these names, numbers, digests, addresses. */
function wordsOf(text: string, names: readonly string[]): string {
  const parts = new Set(names.flatMap((name) => name.split(/[^\w.-]+/)));
  const words = text.split(/[\s"'`()[\]{},;]+/).map((word) => word.replace(/[:.]$/, ''));
  return words
    .filter((word) => word.length <= WORD_LENGTH && !/[\d/:@]/.test(word) && !parts.has(word))
    .join(' ');
}

function repositoryOf(name: string): string {
  return splitName(name).repository;
}

/** Returns whether a failure is about one repository: its name, a platform that it lacks, or a tag that it does not have. */
export function isAboutOne({ source, reason }: Pick<Failed, 'source' | 'reason'>): boolean {
  switch (reason?.code) {
    case 'PLATFORM_MISSING':
    case 'NAME_TOO_LONG':
      return true;
    case 'NOT_FOUND':
      return reason.host === undefined || source.startsWith(`${reason.host}/`);
    default:
      return false;
  }
}
