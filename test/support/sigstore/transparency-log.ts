import { createHash } from 'node:crypto';
import type { KeyKind } from './test-key.ts';
import { TestKey } from './test-key.ts';

/** An entry and what proves that it is there, as Rekor answers it; bytes in base64 where it has them so. */
export interface LogAnswer {
  readonly body: Buffer;
  /** In seconds. */
  readonly integratedTime: number;
  /** Hexadecimal. */
  readonly logID: string;
  readonly logIndex: number;
  readonly signedEntryTimestamp: Buffer;
  readonly proof: InclusionProof;
}

export interface InclusionProof {
  readonly logIndex: number;
  readonly treeSize: number;
  readonly rootHash: Buffer;
  readonly hashes: readonly Buffer[];
  readonly checkpoint: string;
}

function sha256(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function node(left: Buffer, right: Buffer): Buffer {
  return sha256(Buffer.from([1]), left, right);
}

/** The largest power of two that is smaller than a number above 1. */
function split(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

// As RFC 6962 has it. https://www.rfc-editor.org/rfc/rfc6962#section-2.1
function rootOf(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) throw new Error('a tree has leaves');
  if (leaves.length === 1) return only;
  const middle = split(leaves.length);
  return node(rootOf(leaves.slice(0, middle)), rootOf(leaves.slice(middle)));
}

function pathTo(index: number, leaves: readonly Buffer[]): readonly Buffer[] {
  if (leaves.length === 1) return [];
  const middle = split(leaves.length);
  const [left, right] = [leaves.slice(0, middle), leaves.slice(middle)];
  return index < middle
    ? [...pathTo(index, left), rootOf(right)]
    : [...pathTo(index - middle, right), rootOf(left)];
}

/** Neither the first nor the last, and not in a full tree: a proof has inner hashes and those of the border. */
const INDEX = 5;
const SIZE = 7;
/** Where the entry is in the log with all its older parts. */
const WHOLE_INDEX = 1_000_005;

/** A log of signatures. */
export class TransparencyLog {
  readonly key: TestKey;
  readonly baseUrl: string;
  readonly id: Buffer;

  constructor(baseUrl: string, kind: KeyKind = 'P-256') {
    this.key = new TestKey(kind);
    this.baseUrl = baseUrl;
    this.id = sha256(this.key.spki);
  }

  get #origin(): string {
    return new URL(this.baseUrl).host;
  }

  /** Takes an entry. */
  add(entry: object, time: Date): LogAnswer {
    const body = Buffer.from(JSON.stringify(entry));
    const integratedTime = Math.floor(time.getTime() / 1000);
    const logID = this.id.toString('hex');
    // The members are in the order of the alphabet, as what was signed has them.
    const promise = { body: body.toString('base64'), integratedTime, logID, logIndex: WHOLE_INDEX };
    return {
      body,
      integratedTime,
      logID,
      logIndex: WHOLE_INDEX,
      signedEntryTimestamp: this.key.sign(Buffer.from(JSON.stringify(promise))),
      proof: this.prove(body),
    };
  }

  /** Returns the proof that bytes are one of some entries. */
  prove(body: Buffer, { size = SIZE, index = INDEX } = {}): InclusionProof {
    const leaves = Array.from({ length: size }, (_, at) =>
      sha256(Buffer.from([0]), at === index ? body : Buffer.from(`entry ${at}`)),
    );
    const rootHash = rootOf(leaves);
    return {
      logIndex: index,
      treeSize: size,
      rootHash,
      hashes: pathTo(index, leaves),
      checkpoint: this.checkpoint(size, rootHash),
    };
  }

  /** Returns a state of the log that it signed. https://github.com/transparency-dev/formats/blob/main/log/README.md */
  checkpoint(size: number, rootHash: Buffer): string {
    const note = `${this.#origin}\n${size}\n${rootHash.toString('base64')}\n`;
    const signature = Buffer.concat([this.id.subarray(0, 4), this.key.sign(Buffer.from(note))]);
    return `${note}\n\u2014 ${this.#origin} ${signature.toString('base64')}\n`;
  }
}
