/**
 * Returns the reference in a package URL of an image, as builders write it into statements; undefined if it is not of an
 * image, or names no repository. It reads both forms: the registry as a qualifier, and as the start of the path, as
 * BuildKit writes it. https://github.com/package-url/purl-spec/tree/main/types
 */
export function referenceOfPurl(purl: string): string | undefined {
  const parts = /^pkg:(docker|oci)\/+([^@?#]+)(?:@([^?#]*))?(?:\?([^#]*))?/i.exec(purl);
  if (parts === null) return undefined;
  const [, type = '', path = '', version = '', query = ''] = parts;
  const qualifiers = new URLSearchParams(query);
  const place = qualifiers.get('repository_url')?.replace(/^[a-z]+:\/\//i, '');
  try {
    const name = decodeURIComponent(path);
    const release = decodeURIComponent(version);
    const isDigest = release.includes(':');
    const digest = isDigest ? release : qualifiers.get('digest');
    const tag = qualifiers.get('tag') ?? (isDigest ? '' : release);
    const repository = type.toLowerCase() === 'oci' ? place : nameAt(place, name);
    if (repository === undefined) return undefined;
    // BuildKit writes "latest" where no tag was given.
    const tagged = tag === '' || tag === 'latest' ? repository : `${repository}:${tag}`;
    return digest === null ? tagged : `${tagged}@${digest}`;
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function nameAt(place: string | undefined, name: string): string {
  if (place === undefined || /^hub\.docker\.com(?:\/|$)/i.test(place)) return name;
  return place === name || place.endsWith(`/${name}`) ? place : `${place}/${name}`;
}
