import { type Document, Lexer, LineCounter, type ParsedNode, parseAllDocuments } from 'yaml';
import { formatCount } from './sentence.ts';
import { formatSize } from './size.ts';

/** A position in a text. Both count from 1. */
interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** A text with documents of YAML, or of JSON, which is YAML too. */
export interface YamlText {
  readonly text: string;
  readonly documents: readonly Document.Parsed<ParsedNode>[];
  readonly positionOf: (offset: number) => TextPosition;
  /** Returns the line of an offset, the first being 1. */
  readonly lineOf: (offset: number) => number;
}

/** Thrown if a text is not YAML, or is too large or too deep to be read. */
export class UnusableYaml extends Error {
  /** Whether it is not YAML; otherwise it is too large or too deep. */
  readonly isMalformed: boolean;
  /** Where it becomes unusable; undefined if it is too long as a whole. */
  readonly position: TextPosition | undefined;

  constructor(message: string, position?: TextPosition, isMalformed = false) {
    super(message);
    this.isMalformed = isMalformed;
    this.position = position;
  }
}

/** How much of a text is read. */
interface YamlLimits {
  /** The most characters. */
  readonly length: number;
  /** The most keys, values, and separators between them. */
  readonly tokens: number;
}

/** The largest manifests, of operators with their definitions, have some 3 MB. One of 350 kB has 45,000 tokens. */
export const MANIFEST_LIMITS: YamlLimits = { length: 4 * 1024 * 1024, tokens: 500_000 };
/** The most nested brackets, or dashes of lists on one line. Real files have a dozen. */
const DEPTH_LIMIT = 100;
/** The most spaces before the first word of a line. Each one can be a level. */
const INDENT_LIMIT = 400;

/** Marks that the lexer adds; no characters of the text. */
const MARKS: ReadonlySet<string> = new Set(['\u0002', '\u0018', '\u001f']);

/** Throws `UnusableYaml` for a text that is too large or too deep for a recursive parser. */
function refuseExcess(text: string, limit: number): void {
  let [tokens, brackets, points, line, start, offset] = [0, 0, 0, 1, 0, 0];
  let previous = '\n';
  for (const token of new Lexer().lex(text)) {
    const position = { line, column: offset - start + 1 };
    tokens += 1;
    if (tokens > limit) {
      throw new UnusableYaml(`it has more than ${formatCount(limit)} keys, values and separators`, position);
    }
    if (token === '[' || token === '{') brackets += 1;
    if (token === ']' || token === '}') brackets -= 1;
    if (brackets === 0 && (token === '-' || token === '?' || token === ':')) points += 1;
    const isIndented = previous.length > INDENT_LIMIT && /^ +$/.test(previous) && !/^[\r\n#]/.test(token);
    if (brackets > DEPTH_LIMIT || points > DEPTH_LIMIT || isIndented) {
      throw new UnusableYaml('its values are nested too deeply', position);
    }
    if (MARKS.has(token)) continue;
    offset += token.length;
    const breaks = token.split('\n').length - 1;
    if (breaks > 0) {
      [line, start, points] = [line + breaks, offset - (token.length - token.lastIndexOf('\n') - 1), 0];
    }
    previous = token;
  }
}

/** Returns the documents of a text. Throws `UnusableYaml` for one that is malformed, too large or too deep. */
export function readYaml(text: string, limits = MANIFEST_LIMITS): YamlText {
  if (text.length > limits.length) throw new UnusableYaml(`it is larger than ${formatSize(limits.length)}`);
  refuseExcess(text, limits.tokens);
  const lines = new LineCounter();
  const positionOf = (offset: number): TextPosition => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  // Repeated keys are detected only where they matter: comparing very many keys with each other takes minutes.
  const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false, logLevel: 'silent' } as const;
  const parsed = parseAllDocuments(text, options);
  const documents = Array.isArray(parsed) ? parsed : [];
  for (const { errors } of documents) {
    const [error] = errors;
    if (error === undefined) continue;
    const message = `it is not YAML: ${error.message.split('\n')[0]?.slice(0, 200)}`;
    throw new UnusableYaml(message, positionOf(error.pos[0]), true);
  }
  return { text, documents, positionOf, lineOf: (offset) => positionOf(offset).line };
}
