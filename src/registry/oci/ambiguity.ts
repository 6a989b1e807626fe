import { memberNames } from '../../lib/json-members.ts';

// Readers in Go ignore the case of a name, and use the last of several; others do not. So what one of them checks may
// differ from what another one runs. https://pkg.go.dev/encoding/json#Unmarshal

const OF_MANIFEST = 'schemaVersion|mediaType|artifactType|config|layers|manifests|subject|annotations';
const OF_DESCRIPTOR = 'mediaType|digest|size|urls|annotations|data|platform|artifactType';
const WHOLE = new RegExp(`^(?:${OF_MANIFEST})$`);
const WHOLE_IN_ANY_CASE = new RegExp(`^(?:${OF_MANIFEST})$`, 'iu');
const PART = new RegExp(`^(?:${OF_DESCRIPTOR})$`);
const PART_IN_ANY_CASE = new RegExp(`^(?:${OF_DESCRIPTOR})$`, 'iu');

/**
 * Returns why other programs can read a manifest in another way; undefined if they cannot. `bytes` are its content, and
 * `json` is what this program read from them.
 */
export function ambiguityOf(bytes: Buffer, json: unknown): string | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
  if (bytes.toString('utf8', 0, 3) === '\uFEFF') return 'it starts with a byte order mark, which Go refuses';
  const seen = new Set<string>();
  for (const name of memberNames(bytes)) {
    if (!WHOLE_IN_ANY_CASE.test(name)) continue;
    if (!WHOLE.test(name)) return twofold(name);
    if (seen.has(name)) return `it has "${name}" twice`;
    seen.add(name);
  }
  const fields = new Map(Object.entries(json));
  for (const list of ['config', 'layers', 'manifests']) {
    for (const part of [fields.get(list)].flat()) {
      const name = namesOf(part).find((held) => PART_IN_ANY_CASE.test(held) && !PART.test(held));
      if (name !== undefined) return twofold(name);
    }
  }
  return undefined;
}

function twofold(name: string): string {
  return `it has "${name}", which programs read in two ways`;
}

function namesOf(part: unknown): string[] {
  return typeof part === 'object' && part !== null ? Object.keys(part) : [];
}
