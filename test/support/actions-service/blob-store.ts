import { randomUUID } from 'node:crypto';

/** One blob of the stand-in for Azure storage. */
export interface Blob {
  readonly id: string;
  bytes: Buffer | undefined;
  contentType: string;
  /** The name under which a browser would save it. */
  fileName: string | undefined;
  readonly blocks: Map<string, Buffer>;
}

/** Blobs in memory, uploaded whole (Put Blob) or in blocks (Put Block, Put Block List). */
export class BlobStore {
  readonly #blobs = new Map<string, Blob>();
  /** What makes an address of a blob as good as a login. */
  readonly signature = randomUUID();

  create(fileName?: string): Blob {
    const blob: Blob = {
      id: randomUUID(),
      bytes: undefined,
      contentType: 'application/octet-stream',
      fileName,
      blocks: new Map(),
    };
    this.#blobs.set(blob.id, blob);
    return blob;
  }

  /** Returns the address by which a blob is written and read: account, container and blob, as the Azure SDK wants it. */
  sign(blob: Blob, origin: string): string {
    return `${origin}/account/blobs/${blob.id}?sig=${this.signature}`;
  }

  /** Finds the blob of a signed address; undefined when the signature or the path is not one of ours. */
  open(address: URL): Blob | undefined {
    if (address.searchParams.get('sig') !== this.signature) return undefined;
    const id = /^\/account\/blobs\/([0-9a-f-]+)$/.exec(address.pathname)?.[1];
    return id === undefined ? undefined : this.#blobs.get(id);
  }

  /** Takes one write to a blob; gives the status to answer. */
  write(blob: Blob, address: URL, body: Buffer, contentType: string | undefined): number {
    const part = address.searchParams.get('comp');
    if (part === null) {
      blob.bytes = body;
    } else if (part === 'block') {
      blob.blocks.set(address.searchParams.get('blockid') ?? '', body);
      return 201;
    } else if (part === 'blocklist') {
      const ids = [...body.toString().matchAll(/<Latest>([^<]+)<\/Latest>/g)].map((match) => match[1] ?? '');
      const blocks = ids.map((id) => blob.blocks.get(id));
      if (blocks.includes(undefined)) return 400;
      blob.bytes = Buffer.concat(blocks.filter((block) => block !== undefined));
    } else {
      return 400;
    }
    if (contentType !== undefined) blob.contentType = contentType;
    return 201;
  }
}

/** Returns a copy of some bytes with every second one flipped, as bad storage might. */
export function damaged(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, index) => (index % 2 === 0 ? byte : byte ^ 0xff)));
}
