import { setImmediate as otherWork } from 'node:timers/promises';
import { itemEnd, readJson, textEnd, UnreasonableJson, weightLimit } from './json.ts';

/** How one member of an object is read: as a whole, or a few items at a time, because it may have very many. */
type MemberReader =
  | { readonly of: 'value'; readonly take: (value: unknown) => void }
  | { readonly of: 'list'; readonly take: (items: readonly unknown[]) => void }
  | { readonly of: 'object'; readonly take: (entries: readonly (readonly [string, unknown])[]) => void };

/** How many bytes are parsed at once and then released: some milliseconds of work. */
const SLICE = 256 * 1024;
/** The most bytes of one item, or of a member that is read as a whole. */
const LENGTH_LIMIT = 4 * 1024 * 1024;
/** No answer has nearly as many fields; long lists are within a field. */
const MEMBERS_LIMIT = 1000;
const SPACES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
const COMMA = 0x2c;

/**
 * Reads a JSON object from outside, in which lists and objects may be long. Calls `take` of the reader for each member's
 * name. Calls none for members that are absent or null, or if the whole text is `null`. Parses members without a reader
 * and releases them. Lets other work run between slices. An error that `take` throws ends the reading. Throws `SyntaxError`
 * for text that `JSON.parse` refuses and for a member of another kind than its reader, and `UnreasonableJson`, also for a
 * name that occurs twice.
 */
export async function readMembers(
  json: Buffer,
  readers: Readonly<Record<string, MemberReader>>,
): Promise<void> {
  const cursor = new Cursor(json);
  const readerOf = new Map(Object.entries(readers));
  const names = new Set<string>();
  if (!cursor.isAt('{')) {
    if (readJson(json) === null) return;
    throw new SyntaxError('it is not a JSON object');
  }
  cursor.step('{');
  while (!(names.size === 0 && cursor.isAt('}'))) {
    const name = cursor.name();
    if (names.has(name)) throw new UnreasonableJson(`it has ${JSON.stringify(name.slice(0, 100))} twice`);
    if (names.add(name).size > MEMBERS_LIMIT) {
      throw new UnreasonableJson(`it has more than ${MEMBERS_LIMIT} members`);
    }
    await readMember(cursor, name, readerOf.get(name));
    if (!cursor.isAt(',')) break;
    cursor.step(',');
  }
  cursor.step('}');
  cursor.end();
}

/** Returns the names in the text of a JSON object that `readJson` has read, each as often as it occurs. */
export function memberNames(json: Buffer): string[] {
  const cursor = new Cursor(json);
  const names: string[] = [];
  cursor.step('{');
  while (!cursor.isAt('}')) {
    names.push(cursor.name());
    cursor.skip();
    if (cursor.isAt(',')) cursor.step(',');
  }
  return names;
}

async function readMember(cursor: Cursor, name: string, reader: MemberReader | undefined): Promise<void> {
  if (reader === undefined || reader.of === 'value') {
    const value = cursor.value();
    if (value !== null) reader?.take(value);
    return;
  }
  const [opening, closing] = reader.of === 'list' ? ['[', ']'] : ['{', '}'];
  if (!cursor.isAt(opening)) {
    if (cursor.value() === null) return;
    throw new SyntaxError(`its ${name} is not ${reader.of === 'list' ? 'a list' : 'an object'}`);
  }
  cursor.step(opening);
  for (let isFirst = true; ; isFirst = false) {
    const slice: unknown = JSON.parse(opening + cursor.items() + closing);
    const entries = Object.entries(Object(slice));
    if (entries.length === 0 && !isFirst) throw new SyntaxError(`its ${name} ends with a comma`);
    if (reader.of === 'object') reader.take(entries);
    else if (Array.isArray(slice)) reader.take(slice);
    if (!cursor.isAt(',')) break;
    cursor.step(',');
    await otherWork();
  }
  cursor.step(closing);
}

/**
 * A position in a JSON text. `JSON.parse` parses everything between two positions, except for the punctuation that this
 * class steps over.
 */
class Cursor {
  readonly #json: Buffer;
  #at: number;

  constructor(json: Buffer) {
    this.#json = json;
    this.#at = json.toString('utf8', 0, 3) === '\uFEFF' ? 3 : 0;
  }

  /** Returns whether a punctuation character is next, after white space. */
  isAt(sign: string): boolean {
    this.#skipSpaces();
    return this.#json[this.#at] === sign.charCodeAt(0);
  }

  /** Steps over a punctuation character. Throws `SyntaxError` if another one is next. */
  step(sign: string): void {
    if (!this.isAt(sign)) throw new SyntaxError(`there is no ${sign} at byte ${this.#at}`);
    this.#at += 1;
  }

  /** Returns the name of a member, and steps over its colon. */
  name(): string {
    if (!this.isAt('"')) throw new SyntaxError(`there is no name at byte ${this.#at}`);
    const end = this.#at + textEnd(this.#near(this.#at), 0) + 1;
    this.#requireNear(this.#at, end);
    const name = String(JSON.parse(this.#until(end)));
    this.step(':');
    return name;
  }

  /** Returns the value of a member. */
  value(): unknown {
    return JSON.parse(this.#until(this.#itemEnd(this.#at)));
  }

  /** Steps over the value of a member. */
  skip(): void {
    this.#at = this.#itemEnd(this.#at);
  }

  /** Returns the text of the next items of a list or object, up to the comma after them or the end. */
  items(): string {
    let end = this.#itemEnd(this.#at);
    while (end - this.#at < SLICE && this.#json[end] === COMMA) end = this.#itemEnd(end + 1);
    return this.#until(end);
  }

  /** Throws `SyntaxError` unless the text ends here. */
  end(): void {
    this.#skipSpaces();
    if (this.#at < this.#json.length) {
      throw new SyntaxError(`there is more after the end, at byte ${this.#at}`);
    }
  }

  #skipSpaces(): void {
    const from = this.#at;
    while (SPACES.has(this.#json[this.#at] ?? 0) && this.#at - from <= LENGTH_LIMIT) this.#at += 1;
    this.#requireNear(from, this.#at);
  }

  #itemEnd(from: number): number {
    const end = from + itemEnd(this.#near(from), 0, weightLimit(this.#json.length));
    this.#requireNear(from, end);
    return end;
  }

  /** Returns at most as many bytes as may be scanned without a pause. */
  #near(from: number): Buffer {
    return this.#json.subarray(from, from + LENGTH_LIMIT + 1);
  }

  #requireNear(from: number, end: number): void {
    if (end - from > LENGTH_LIMIT) throw new UnreasonableJson('one of its items is longer than 4 MiB');
  }

  #until(end: number): string {
    const text = this.#json.toString('utf8', this.#at, end);
    this.#at = end;
    return text;
  }
}
