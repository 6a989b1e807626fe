import { z } from 'zod';

const errorBodyShape = z.object({
  errors: z.array(z.object({ code: z.string().optional(), message: z.string().optional() })).min(1),
});

/** Other shapes, of token services and of proxies in front of registries. */
const otherErrorShape = z
  .object({ message: z.string().optional(), details: z.string().optional(), error: z.string().optional() })
  .catch({});

/** The error codes and the text in the body of an error answer (distribution-spec, "Error codes"). */
export interface ErrorBody {
  readonly codes: readonly string[];
  /** At most 300 characters on one line, without control characters; empty if the body has no text for people. */
  readonly text: string;
}

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
    const json: unknown = JSON.parse(body);
    const parsed = errorBodyShape.safeParse(json);
    if (parsed.success) {
      const codes = parsed.data.errors.flatMap((error) => (error.code === undefined ? [] : [error.code]));
      const first = parsed.data.errors[0];
      return { codes, text: oneLine([first?.code, first?.message].filter(Boolean).join(': ')) };
    }
    const { message, details, error } = otherErrorShape.parse(json);
    return { codes: [], text: oneLine(message ?? details ?? error ?? '') };
  } catch {
    // Not JSON, so it is read as text below.
  }
  return { codes: [], text: /^\s*</.test(body) ? '' : oneLine(body) };
}
