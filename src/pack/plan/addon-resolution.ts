import { dirname, resolve } from 'node:path';
import { GITHUB_API } from '../../config/github-api.ts';
import { expandUri } from '../../config/uri-template.ts';
import type { AddonEntry } from '../../config/versions.ts';
import { Failure } from '../../lib/failure.ts';
import { nearestName } from '../../lib/text/nearest.ts';
import { type Digest, isDigest } from '../../registry/oci/digest.ts';
import type { Tag } from '../../registry/oci/reference.ts';
import { usualSources } from './component-resolution.ts';
import { chartCommand, knownAddon, knownAddonNames } from './known-addon.ts';
import type { AddonPlan, AddonSource, ChecksumSource, ComponentCheck } from './plan.ts';
import { automaticTag, type Resolution, type ResolvedTag } from './resolution.ts';

const RELEASE_FILE = /^https:\/\/github\.com\/([\w.-]+\/[\w.-]+)\/releases\/download\/([^/]+)\/([^/]+)$/;

/** Returns where GitHub publishes the digest of a file of a release; empty for other addresses. */
function releaseSources(url: URL): ChecksumSource[] {
  const [, repository, tag, fileName] = RELEASE_FILE.exec(url.href) ?? [];
  if (repository === undefined || tag === undefined || fileName === undefined) return [];
  const answer = new URL(`${GITHUB_API}/repos/${repository}/releases/tags/${tag}`);
  return [{ url: answer, fileName: decodeURIComponent(fileName), form: 'release' }];
}

/** Returns the built-in digest of a manifest in an upstream repository. */
function knownDigest(name: string, tag: Tag): Digest | undefined {
  const digest = `sha256:${knownAddon(name)?.sums.get(tag) ?? ''}`;
  return isDigest(digest) ? digest : undefined;
}

/**
 * Returns the upstream address of a known add-on's manifest: one for which a digest is built in or published, if there
 * is one.
 */
function makersUrl(name: string, tag: Tag): URL | undefined {
  const known = knownAddon(name);
  if (known === undefined) return undefined;
  const { repository, path, asset } = known;
  const isInRelease = asset !== undefined && knownDigest(name, tag) === undefined;
  return new URL(
    isInRelease || path === undefined
      ? `https://github.com/${repository}/releases/download/${tag}/${asset}`
      : `https://raw.githubusercontent.com/${repository}/${tag}/${path}`,
  );
}

function checkOf({ name, uri, sha256 }: AddonEntry, tag: Tag, url: URL): ComponentCheck {
  if (sha256 === 'none') return { kind: 'none' };
  if (sha256 !== undefined) return { kind: 'pin', digest: sha256 };
  const digest = knownDigest(name, tag);
  if (digest !== undefined && uri === undefined) return { kind: 'known', digest };
  // A repository has no checksums of its files.
  const beside = url.hostname === 'raw.githubusercontent.com' ? [] : usualSources(url);
  const told = releaseSources(url);
  return { kind: 'published', sources: uri === undefined ? told : [...told, ...beside] };
}

/** Returns the tag of an entry; undefined, with a problem, if `auto` has no answer. */
function tagOf({ name, tag, place }: AddonEntry, resolution: Resolution): ResolvedTag | undefined {
  if (tag !== 'auto') return tag === undefined ? undefined : { tag };
  const problem = `packer does not know which ${name} matches Kubernetes ${resolution.choice.version}; set its tag: { "name": "${name}", "tag": "…" }`;
  return automaticTag(name, { place: place('tag'), problem }, resolution);
}

function refuseUnknown(entry: AddonEntry, { findings }: Resolution): void {
  const { name } = entry;
  const command = chartCommand(name);
  const own = `{ "name": "${name}", "manifest": "manifests/${name}.yaml" }`;
  if (command !== undefined) {
    findings.problem(
      entry.place('name'),
      `${name} is published only as a chart, not as a manifest; create one with ${command} > manifests/${name}.yaml, and list it here: ${own}`,
    );
    return;
  }
  const near = nearestName(name, knownAddonNames());
  findings.problem(
    entry.place('name'),
    `unknown add-on "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}; ` +
      `known are ${knownAddonNames().join(', ')}; any other needs a "uri", or a manifest of your own: ${own}`,
  );
}

/** Returns where the manifest of an add-on is downloaded from; undefined, with a problem, if that is not known. */
function downloadOf(entry: AddonEntry, tag: Tag, resolution: Resolution): AddonSource | undefined {
  const { name, uri } = entry;
  const { choice, findings } = resolution;
  try {
    const url = uri === undefined ? makersUrl(name, tag) : expandUri(uri, { tag, arch: choice.arch });
    if (url === undefined) throw new TypeError(`${name} is unknown`);
    const check = checkOf(entry, tag, url);
    if (check.kind === 'published' && check.sources.length === 0) {
      findings.problem(
        entry.place(),
        `upstream publishes no checksum of the manifest of ${name} ${tag}; pin it with "sha256", or set "sha256": "none" to accept it unverified`,
      );
      return undefined;
    }
    return { kind: 'download', url, fileName: `addon-${name}-${tag}.yaml`, check };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    findings.problem(entry.place('uri'), error.message);
    return undefined;
  }
}

function planOf(entry: AddonEntry, file: string, resolution: Resolution): AddonPlan | undefined {
  const { name, manifest, uri, sha256 } = entry;
  const place = entry.place();
  if (manifest !== undefined) {
    const digest = sha256 === 'none' ? undefined : sha256;
    const source = {
      kind: 'own',
      file: resolve(dirname(file), manifest),
      written: manifest,
      digest,
    } as const;
    return { name, tag: undefined, source, place };
  }
  if (uri === undefined && knownAddon(name) === undefined) {
    refuseUnknown(entry, resolution);
    return undefined;
  }
  const found = tagOf(entry, resolution);
  const source = found === undefined ? undefined : downloadOf(entry, found.tag, resolution);
  return found === undefined || source === undefined ? undefined : { name, ...found, source, place };
}

/** Returns where the manifest of each add-on of a versions.json is, and how it is checked. `file` is that versions.json. */
export function resolveAddons(
  entries: readonly AddonEntry[],
  file: string,
  resolution: Resolution,
): AddonPlan[] {
  return entries.flatMap((entry) => planOf(entry, file, resolution) ?? []);
}
