import { basename } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { digestHex, digestOf } from '../../../src/registry/oci/digest.ts';
import type { FileServer } from '../../support/file-server.ts';
import { NOT_INWARD, type Promised } from './promise.ts';
import { METADATA } from './stage.ts';

/** What tar says of a member. */
type Member = Partial<Header> & Pick<Header, 'name'>;

/** What becomes of a component that is to be packed, and whether what is packed is what its maker once released. */
type ComponentEnding =
  | { readonly packed: 'genuine' | 'offered'; readonly check: 'published' | 'pin' | 'none' }
  /** There is no package, and these words say why. */
  | { readonly refused: string; readonly with?: 'archives' };

/** One download of a maker, with the checksum beside it. */
export interface Shelf {
  readonly web: FileServer;
  /** Over plain HTTP. */
  readonly plain: FileServer;
  /** Of the download, such as `/image-10/tool`. */
  readonly path: string;
}

export interface MakerAttack extends Promised {
  /** What a hostile maker does, or who has their server. */
  readonly tries: string;
  /** What versions.json says as "sha256": that of the genuine download, or "none". */
  readonly sha256?: 'genuine' | 'none';
  /** Whether it is unpacked into the package. */
  readonly isArchive?: true;
  readonly bend: (shelf: Shelf) => void | Promise<void>;
  readonly ends: ComponentEnding;
}

export const GENUINE = Buffer.from('#!/bin/sh\necho what the maker released\n');
const FORGED = Buffer.from('#!/bin/sh\necho something else\n');

export function sum(content: Buffer): string {
  return digestHex(digestOf(content));
}

/** Puts a download with its checksum on a shelf. */
export function release(
  { web, path }: Shelf,
  content: Buffer,
  checksums = `${sum(content)}  ${basename(path)}\n`,
): void {
  web.put(path, content);
  web.put(`${path}.sha256`, checksums);
}

/** Returns an archive with a program, and with whatever else. */
export async function archiveOf(...headers: readonly Member[]): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: 'bin/tool', mode: 0o755, mtime: new Date(0) }, GENUINE);
  for (const header of headers) {
    const hasBody = header.type === undefined || header.type === 'file';
    if (hasBody) archive.entry(header, 'evil');
    else archive.entry(header);
  }
  archive.finalize();
  return gzipSync(await buffer(archive));
}

const NOT_FOUND = { kind: 'status', status: 404 } as const;

const CHECKED = {
  page: 'pack.md',
  says: 'packer verifies any other component with the checksum file next to its download, or with `sha256`',
} as const;
const REFUSED = {
  page: 'pack.md',
  says: 'and a download that does not match its checksum. Finished downloads stay',
} as const;
const ARCHIVE = {
  page: 'security.md',
  says: 'A hostile archive (absolute paths, `..`, links, devices, bombs) | refused',
} as const;

/** An archive whose checksum is right, with a member that leads out of it. */
function member(tries: string, header: Member, refused: string): MakerAttack {
  return {
    tries: `an archive with ${tries}`,
    ...ARCHIVE,
    isArchive: true,
    bend: async (shelf) => release(shelf, await archiveOf(header)),
    ends: { refused, with: 'archives' },
  };
}

/** A list of checksums that does not hold the one of the download. */
function list(tries: string, checksums: string, refused: string): MakerAttack {
  return {
    tries: `a list of checksums ${tries}`,
    ...REFUSED,
    bend: (shelf) => release(shelf, FORGED, checksums),
    ends: { refused },
  };
}

export const MAKER_ATTACKS: readonly MakerAttack[] = [
  {
    tries: 'another download beside the genuine checksum',
    ...REFUSED,
    bend: ({ web, path }) => void web.put(path, FORGED),
    ends: { refused: 'expected sha256:' },
  },
  {
    tries: 'another download with its own checksum',
    page: 'security.md',
    says: 'If someone changes the download and the checksum next to it, only a pin or a lock detects it',
    bend: (shelf) => release(shelf, FORGED),
    ends: { packed: 'offered', check: 'published' },
  },
  {
    tries: 'the same where versions.json has the sum of the genuine one',
    ...CHECKED,
    sha256: 'genuine',
    bend: (shelf) => release(shelf, FORGED),
    ends: { refused: 'expected sha256:' },
  },
  {
    tries: 'another download where nothing is checked',
    page: 'security.md',
    says: 'or `none` if `versions.json` has `"sha256": "none"`',
    sha256: 'none',
    bend: (shelf) => release(shelf, FORGED),
    ends: { packed: 'offered', check: 'none' },
  },
  {
    tries: 'no checksum',
    page: 'security.md',
    says: 'the upstream checksum or your pin; without either it is refused',
    bend: ({ web, path }) =>
      void web.put(`${path}.sha256`, '', ...Array.from({ length: 9 }, () => NOT_FOUND)),
    ends: { refused: 'checksum' },
  },
  list(
    'that names other files alone',
    `${sum(FORGED)}  tools\n${sum(FORGED)}  tool.txt\n`,
    'no checksum for',
  ),
  list('for what is read from standard input', `${sum(FORGED)}  -\n`, 'no checksum for'),
  list('for an absolute path', `${sum(FORGED)}  /etc/passwd\n`, 'no checksum for'),
  list('for a path that leads out', `${sum(FORGED)}  ../../bin/sh\n`, 'no checksum for'),
  list('that contradicts itself', `${sum(FORGED)}  tool\n${sum(GENUINE)}  tool\n`, 'different checksums'),
  list('with a sum that was cut', `${sum(FORGED).slice(0, 40)}  tool\n`, 'no checksum'),
  list('that is a page for people', '<html><body>Welcome</body></html>', 'no checksum'),
  list('without end', `${'#'.repeat(80)}\n`.repeat(14_000), 'it is larger than'),
  list(
    'with the forged sum outside of what is signed',
    [
      `${sum(FORGED)}  tool`,
      '-----BEGIN PGP SIGNED MESSAGE-----',
      '',
      `${sum(GENUINE)}  tool`,
      '-----BEGIN PGP SIGNATURE-----',
    ].join('\n'),
    'expected sha256:',
  ),
  {
    tries: 'a redirect of a download to plain HTTP',
    ...NOT_INWARD,
    bend: ({ web, plain, path }) =>
      void web.put(path, GENUINE, ...redirects(new URL('/stolen', plain.origin).href)),
    ends: { refused: 'it leads from HTTPS to plain HTTP' },
  },
  {
    tries: 'a redirect of a checksum to what a cloud tells its machines',
    ...NOT_INWARD,
    bend: ({ web, path }) => void web.put(`${path}.sha256`, '', ...redirects(METADATA)),
    ends: { refused: 'an internal service of a cloud' },
  },
  member('a member that leads out of it', { name: 'bin/../../../etc/cron.d/x' }, 'leads out of it'),
  member('an absolute path', { name: '/etc/cron.d/x' }, 'absolute path'),
  member('a link out of it', { name: 'bin/out', type: 'symlink', linkname: '../../../../etc' }, 'link'),
  member('a hard link out of it', { name: 'bin/out', type: 'link', linkname: '/etc/shadow' }, 'link'),
  member('a device', { name: 'bin/disk', type: 'block-device' }, 'device'),
  member('a pipe', { name: 'bin/pipe', type: 'fifo' }, 'fifo'),
  member('two members in one place', { name: 'bin/TOOL' }, 'two entries for'),
  member('escapes for a terminal in a name', { name: 'bin/\u001b[2J' }, 'control character'),
];

function redirects(to: string) {
  return Array.from({ length: 9 }, () => ({ kind: 'redirect', to }) as const);
}
