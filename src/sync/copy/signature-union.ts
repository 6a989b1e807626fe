import type { Digest } from '../../registry/oci/digest.ts';
import { type Descriptor, type Index, type Manifest, parseManifest } from '../../registry/oci/manifest.ts';
import type { Registry } from '../../registry/registry.ts';
import { isNotFound, isRefusedQuestion } from '../../registry/registry-failure.ts';
import type { PlannedImage } from '../plan/planning.ts';
import { hasOthersSignatures } from '../plan/recorded-options.ts';
import { isSignatureTag } from '../select/signature-tag.ts';
import { writtenIndex } from './index-subset.ts';

/** What to do about a tag of signatures that the destination has, so that nothing that others added there is lost. */
type SignatureUnion =
  /** It has nothing that the source lacks. */
  | { readonly kind: 'replace' }
  /** It has all that the source has, and more. */
  | { readonly kind: 'complete' }
  /** Both have something of their own, and a list can be joined. `theirs` are the entries that are only there. */
  | { readonly kind: 'joined'; readonly manifest: Manifest; readonly theirs: ReadonlySet<Digest> }
  /**
   * Both have something of their own, and it cannot be joined: the configuration of cosign's manifest describes each of
   * its layers, so joining would need a configuration that no signer made.
   */
  | { readonly kind: 'apart' };

const COSIGN_SIGNATURE = 'dev.cosignproject.cosign/signature';

/** Two signatures of the same payload are layers with the same digest. */
function keyOf({ digest, annotations }: Descriptor): string {
  return `${digest} ${annotations?.[COSIGN_SIGNATURE] ?? ''}`;
}

function entriesOf(manifest: Manifest): readonly Descriptor[] {
  return manifest.kind === 'index' ? manifest.manifests : manifest.layers;
}

/** Returns what to do about a tag of signatures by the manifests of the source and of the destination. */
export function uniteSignatures(ours: Manifest, theirs: Manifest, about: string): SignatureUnion {
  const wanted = new Set(entriesOf(ours).map(keyOf));
  const present = new Set(entriesOf(theirs).map(keyOf));
  const isSameKind = ours.kind === theirs.kind;
  if (isSameKind && [...present].every((key) => wanted.has(key))) return { kind: 'replace' };
  if (isSameKind && [...wanted].every((key) => present.has(key))) return { kind: 'complete' };
  if (ours.kind !== 'index' || theirs.kind !== 'index') return { kind: 'apart' };
  const added = theirs.manifests.filter((entry) => !wanted.has(keyOf(entry)));
  const manifest = joinIndexes(ours, theirs, new Set(added), about);
  return { kind: 'joined', manifest, theirs: new Set(added.map(({ digest }) => digest)) };
}

/** Returns an index with some entries of another one at its end, otherwise unchanged. */
function joinIndexes(index: Index, other: Index, added: ReadonlySet<Descriptor>, about: string): Manifest {
  const body = writtenIndex(index);
  const more = writtenIndex(other).manifests.filter((_, position) => {
    const entry = other.manifests[position];
    return entry !== undefined && added.has(entry);
  });
  const bytes = Buffer.from(JSON.stringify({ ...body, manifests: [...body.manifests, ...more] }));
  return parseManifest(bytes, index.mediaType, about);
}

/**
 * Returns what to do about a tag of signatures that the destination has, and its digest there; undefined if it does not
 * have the tag, if an earlier run wrote exactly this, or if the tag holds no signatures. `present` is the answer of the
 * destination, if it was asked.
 */
export async function findUnion(
  registry: Registry,
  { target, recorded, decision }: Pick<PlannedImage, 'target' | 'recorded' | 'decision'>,
  { original, present }: { readonly original: Manifest; readonly present: Digest | undefined },
  signal: AbortSignal,
): Promise<(SignatureUnion & { readonly there: Digest }) | undefined> {
  if (!isSignatureTag(target.tag)) return undefined;
  const isThere = decision.action === 'check' ? present !== undefined : decision.reason.code === 'CHANGED';
  const isOurs = recorded !== undefined && !hasOthersSignatures(recorded.options);
  if (!isThere || (isOurs && present === recorded.pushedDigest)) return undefined;
  const theirs = await getStanding(registry, target, signal);
  if (theirs === undefined || (isOurs && theirs.digest === recorded.pushedDigest)) return undefined;
  const about = registry.nameOf(target.repository, target.tag);
  return { ...uniteSignatures(original, theirs, about), there: theirs.digest };
}

/** Returns the manifest that a tag has; undefined if there is none, or if the registry refuses it. */
export async function getStanding(
  registry: Registry,
  { repository, tag }: PlannedImage['target'],
  signal: AbortSignal,
): Promise<Manifest | undefined> {
  try {
    return await registry.getManifest(repository, tag, signal);
  } catch (error) {
    if (isNotFound(error) || isRefusedQuestion(error)) return undefined;
    throw error;
  }
}
