import { statSync } from 'node:fs';
import { parseTreePath } from '../../src/config/tree-path.ts';
import type { FetchedComponent } from '../../src/pack/fetch/component-fetch.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseTag } from '../../src/registry/oci/reference.ts';

/** Returns a component that was fetched as a tar.gz and is to be unpacked into a folder of the package. */
export function fetchedArchive(file: string, folder: string): FetchedComponent {
  return {
    plan: {
      name: 'tool',
      tag: parseTag('1.0.0'),
      url: new URL('https://e.org/tool.tar.gz'),
      fileName: 'tool.tar.gz',
      check: { kind: 'none' },
      placement: { kind: 'archive', folder: parseTreePath(folder, 'test'), strip: '' },
      place: { file: 'versions.json', line: 1, column: 1 },
    },
    file,
    size: statSync(file).size,
    sha256: digestOf(Buffer.alloc(0)),
    check: { kind: 'none' },
    from: 'network',
  };
}
