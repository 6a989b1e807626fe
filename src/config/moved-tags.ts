import { z } from 'zod';
import { Failure } from '../lib/failure.ts';
import { parseTag, type Tag } from '../registry/oci/reference.ts';
import type { Document } from './document.ts';
import { isFixedTag } from './fixed-tag.ts';
import type { Problem } from './problem.ts';
import {
  formatScope,
  lengthOfScope,
  type PolicyScope,
  parseScope,
  type WrittenScope,
} from './signature-policy.ts';

/** What happens to a tag that should not move but moved: it is copied, copied with a warning, or kept unchanged. */
export const MOVED_TAGS_MODES = ['warn', 'keep', 'copy'] as const;

export type MovedTagsMode = (typeof MOVED_TAGS_MODES)[number];

/** A registry, all repositories below one of its paths, or one tag. */
interface MovedTagsScope extends PolicyScope {
  readonly tag: Tag | undefined;
}

/** The modes of a file, each with its scope. */
export type MovedTagsRules = readonly { readonly scope: MovedTagsScope; readonly mode: MovedTagsMode }[];

/** The schema of `movedTags` in an image set. */
export const movedTagsSchema = z.record(z.string(), z.enum(MOVED_TAGS_MODES));

/** Throws what `parseScope` throws, and `REFERENCE_MALFORMED`. */
function parseMovedTagsScope(text: string): MovedTagsScope {
  const colon = text.lastIndexOf(':');
  // A colon before the last slash starts a port, and so does one without a slash.
  if (!text.includes('/') || colon < text.lastIndexOf('/')) return { ...parseScope(text), tag: undefined };
  return { ...parseScope(text.slice(0, colon)), tag: parseTag(text.slice(colon + 1), text) };
}

function nameOf({ tag, ...scope }: MovedTagsScope): string {
  return tag === undefined ? formatScope(scope) : `${formatScope(scope)}:${tag}`;
}

/** Returns the rules under `movedTags` of a document, their scopes with places, and the problems of others. */
export function readMovedTags(
  document: Document,
  parsed: z.output<typeof movedTagsSchema>,
): {
  readonly rules: MovedTagsRules;
  readonly problems: readonly Problem[];
  readonly scopes: readonly WrittenScope[];
} {
  const scopes: WrittenScope[] = [];
  const rules: { scope: MovedTagsScope; mode: MovedTagsMode }[] = [];
  const problems: Problem[] = [];
  for (const [key, mode] of Object.entries(parsed)) {
    const place = document.keyPlace(['movedTags', key]);
    try {
      const scope = parseMovedTagsScope(key);
      const isTaken = rules.some((known) => nameOf(known.scope) === nameOf(scope));
      if (isTaken)
        problems.push({ place, message: `${nameOf(scope)} is already in the file under another name` });
      else {
        rules.push({ scope, mode });
        scopes.push({ map: 'movedTags', scope, place });
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      problems.push({ place, message: `${error.message} (${error.hint})` });
    }
  }
  return { rules, problems, scopes };
}

/** What happens to a tag if it moves. */
export interface MovedTagsRule {
  readonly mode: MovedTagsMode;
  /** Whether it should not move. */
  readonly isFixed: boolean;
}

/**
 * Returns what happens to a tag if it moves: by the narrowest scope that contains it, or by `otherwise` without one. A
 * tag that a rule names should not move, whatever it looks like.
 */
export function movedTagsRule(
  rules: MovedTagsRules,
  image: { readonly host: string; readonly repository: string; readonly tag: string },
  otherwise: MovedTagsMode,
): MovedTagsRule {
  const fits = rules.flatMap((rule) => {
    const length = lengthOfScope(rule.scope, image);
    if (length === undefined) return [];
    if (rule.scope.tag === undefined) return [{ ...rule, length }];
    const isThis = length === image.repository.length && rule.scope.tag === image.tag;
    return isThis ? [{ ...rule, length: Number.POSITIVE_INFINITY }] : [];
  });
  const narrowest = fits.toSorted((one, other) => (one.length > other.length ? -1 : 1))[0];
  const isNamed = narrowest?.scope.tag !== undefined;
  return { mode: narrowest?.mode ?? otherwise, isFixed: isNamed || isFixedTag(image) };
}
