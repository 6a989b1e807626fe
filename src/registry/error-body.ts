import { z } from 'zod';
import { readJson, UnreasonableJson } from '../lib/json.ts';
import { eachOf, fieldOf, TEXT_FIELD } from '../lib/zero-value.ts';

/** A registry repeats an error for each part that it is about; the first ones show what happened. */
const ERRORS_READ = 100;

const errorBodyShape = z.object({
  errors: z
    .array(z.unknown())
    .transform((errors) => errors.slice(0, ERRORS_READ))
    .pipe(
      eachOf(
        z
          .object({
            code: TEXT_FIELD.catch(undefined),
            message: TEXT_FIELD.catch(undefined),
            detail: fieldOf(z.unknown()),
          })
          .nullable(),
      ),
    )
    .transform((errors) => errors.filter((error) => error !== null))
    .refine((errors) => errors.length > 0),
});

/** Other shapes, of token services and of proxies in front of registries. */
const otherErrorShape = z
  .object({
    message: TEXT_FIELD.catch(undefined),
    details: TEXT_FIELD.catch(undefined),
    error: TEXT_FIELD.catch(undefined),
  })
  .catch({});

/** The error codes and the text in the body of an error answer (distribution-spec, "Error codes"). */
export interface ErrorBody {
  /** Those of all errors. */
  readonly codes: readonly string[];
  /** At most 300 characters on one line, without control characters; empty if the body has no text for people. */
  readonly text: string;
  /** The text of its details in any form, at most 4000 characters. It may contain secrets, so it is never shown. */
  readonly details: string;
}

/** Returns whether the body of an answer is a list of errors, as registries write it. Never throws. */
export function hasErrorList(body: string): boolean {
  try {
    return errorBodyShape.safeParse(readJson(body)).success;
  } catch {
    return false;
  }
}

const DETAILS_LIMIT = 4000;
/** Longer details explain the code, not what happened. */
const DETAIL_SHOWN = 100;

/**
 * Reads the body of an error answer: JSON, plain text, HTML or nothing. `clean` removes secrets from the text. Never
 * throws.
 */
export function parseErrorBody(body: string, clean: (text: string) => string = (text) => text): ErrorBody {
  const oneLine = (text: string): string =>
    clean(text)
      .replaceAll(/[\s\p{Cc}]+/gu, ' ')
      .trim()
      .slice(0, 300);
  try {
    const json = readJson(body);
    const parsed = errorBodyShape.safeParse(json);
    if (parsed.success) {
      const { errors } = parsed.data;
      const codes = errors.flatMap(({ code }) => (code === undefined ? [] : [code]));
      const told = errors.map(({ code, message, detail }) => {
        const said = [code, message].filter(Boolean).join(': ');
        return typeof detail === 'string' && detail.length < DETAIL_SHOWN
          ? `${said} (${detail})`.trim()
          : said;
      });
      const details = errors.map(({ detail }) => JSON.stringify(detail) ?? '').join(' ');
      const text = oneLine([...new Set(told)].filter(Boolean).join('; '));
      return { codes, text, details: details.slice(0, DETAILS_LIMIT) };
    }
    const { message, details, error } = otherErrorShape.parse(json);
    return { codes: [], text: oneLine(message ?? details ?? error ?? ''), details: '' };
  } catch (error) {
    if (error instanceof UnreasonableJson) return { codes: [], text: '', details: '' };
    // Not JSON, so it is read as text below.
  }
  return { codes: [], text: /^\s*</.test(body) ? '' : oneLine(body), details: '' };
}
