import { Failure } from '../lib/failure.ts';
import { withoutLogins } from '../lib/text/hidden-secrets.ts';

/** A piece of a template: a fixed text, or a field that is replaced by its value. */
type Piece = { readonly text: string } | { readonly field: 'Tag' | 'Arch' };

/** A URL with places for the tag and the architecture, in the syntax of Go templates. */
export interface UriTemplate {
  readonly pieces: readonly Piece[];
}

const ACTION = /\{\{([^{}]*)\}\}/g;

function malformed(message: string, hint: string): Failure<'URI_MALFORMED'> {
  return new Failure({ code: 'URI_MALFORMED', fault: 'usage', about: 'uri', message, hint });
}

const EXAMPLE = 'write one such as https://example.org/tool/v{{.Tag}}/tool-linux-{{.Arch}}.tar.gz';

function fieldOf(action: string): Piece {
  const name = action.trim();
  if (name === '.Tag') return { field: 'Tag' };
  if (name === '.Arch') return { field: 'Arch' };
  throw malformed(`{{${name.slice(0, 60)}}} is not a known field`, 'the fields are {{.Tag}} and {{.Arch}}');
}

/** Returns a URL with `{{.Tag}}` and `{{.Arch}}` as a template. Throws `URI_MALFORMED`. */
export function parseUriTemplate(text: string): UriTemplate {
  const pieces: Piece[] = [];
  let end = 0;
  for (const { 0: whole, 1: inside = '', index } of text.matchAll(ACTION)) {
    // As in Go's text/template: blanks inside the braces are ignored, "{{- " and " -}}" also trim blanks outside.
    const isTrimming = /^-\s/.test(inside) && /\s-$/.test(inside);
    const before = text.slice(end, index);
    pieces.push({ text: isTrimming ? before.trimEnd() : before });
    pieces.push(fieldOf(isTrimming ? inside.slice(1, -1) : inside));
    end = index + whole.length;
    if (isTrimming) end = text.length - text.slice(end).trimStart().length;
  }
  pieces.push({ text: text.slice(end) });
  if (pieces.some((piece) => 'text' in piece && /\{\{|\}\}/.test(piece.text))) {
    throw malformed('a {{ is not closed, or a }} is not opened', 'the fields are {{.Tag}} and {{.Arch}}');
  }
  const template = { pieces };
  // Whether the result is a URL does not depend on the values.
  expandUri(template, { tag: '1.0.0', arch: 'amd64' });
  return template;
}

/** Returns the URL for a tag and an architecture. Throws `URI_MALFORMED`. */
export function expandUri(template: UriTemplate, values: { tag: string; arch: string }): URL {
  const text = template.pieces
    .map((piece) => ('text' in piece ? piece.text : piece.field === 'Tag' ? values.tag : values.arch))
    .join('');
  const url = URL.parse(text);
  if (url === null || !/^https?:\/\//i.test(text)) {
    throw malformed(`"${withoutLogins(text).slice(0, 200)}" is not an http or https address`, EXAMPLE);
  }
  if (url.username !== '' || url.password !== '') {
    throw malformed(
      'the address contains a user name or password',
      'remove them, because everyone who reads this file sees them',
    );
  }
  if (url.pathname.endsWith('/'))
    throw malformed(`"${text.slice(0, 200)}" does not end in the name of a file`, EXAMPLE);
  return url;
}

/** Returns whether the URL depends on a field. */
export function usesField(template: UriTemplate, field: 'Tag' | 'Arch'): boolean {
  return template.pieces.some((piece) => 'field' in piece && piece.field === field);
}
