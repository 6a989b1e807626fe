import { z } from 'zod';

const errorBodyShape = z.object({
  errors: z.array(z.object({ code: z.string().optional(), message: z.string().optional() })).min(1),
});

/** Token services and proxies in front of registries say it in ways of their own. */
const otherErrorShape = z
  .object({ message: z.string().optional(), details: z.string().optional(), error: z.string().optional() })
  .catch({});

/** The error codes of the distribution specification in an answer's body, and what it says in words. */
export interface ErrorBody {
  readonly codes: readonly string[];
  /** At most 300 characters on one line, without those that steer a terminal; empty where the body says nothing to a person. */
  readonly text: string;
}

/**
 * Reads the body of an error answer: JSON as specified, plain text, HTML or nothing (distribution-spec, "Error codes").
 * `clean` takes out what must not be repeated.
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
    // Not JSON: what follows treats it as text.
  }
  return { codes: [], text: /^\s*</.test(body) ? '' : oneLine(body) };
}
