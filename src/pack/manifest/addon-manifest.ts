import { isScalar, isSeq, type Scalar } from 'yaml';
import { describeFailure, Failure } from '../../lib/failure.ts';
import { fieldOfMap, textOfMap } from '../../lib/text/yaml-map.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { digestTag } from '../../registry/oci/digest-tag.ts';
import {
  formatReference,
  parseReference,
  parseTag,
  type Reference,
  type Tag,
} from '../../registry/oci/reference.ts';
import { unusableManifest } from './manifest-documents.ts';
import { type ImageField, type ManifestFacts, manifestFacts } from './manifest-walk.ts';
import { type PodNetwork, podNetworkOf } from './pod-network.ts';
import { columnOf, editText, type TextEdit } from './text-edit.ts';

/** An image that a manifest names. */
export interface ManifestImage {
  /** Its name in the package, with a tag and no digest. */
  readonly name: Reference & { readonly tag: Tag };
  /** The digest of its index or manifest, if the manifest names one. */
  readonly digest: Digest | undefined;
  /** What the manifest says instead of a tag, if it has none: nothing, which means `latest`, or only a digest. */
  readonly untagged?: 'latest' | 'digest' | undefined;
}

/** What is read from the manifest of an add-on. */
export interface AddonManifest {
  /** All images that it names, each once, in its order. */
  readonly images: readonly ManifestImage[];
  readonly podNetwork: PodNetwork | undefined;
  /** The manifest as packed: unchanged except for `edits`. */
  readonly packed: string;
  /** The changes to it, a sentence each. */
  readonly edits: readonly string[];
}

/** Changes to a manifest in addition to those that every manifest needs. */
interface ManifestWishes {
  /**
   * The container that gets an argument to skip the check of kubelet certificates, as those of kubeadm's kubelets are
   * self-signed.
   */
  readonly trustingContainer?: string | undefined;
}

const POLICY = 'IfNotPresent';
const INSECURE = '--kubelet-insecure-tls';

function imageOf({ value, node, part }: ImageField): ManifestImage {
  let reference: Reference;
  try {
    reference = parseReference(value.trim());
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const isTemplate = /\{\{|\$[{(]|%[A-Z_]+%/.test(value);
    throw unusableManifest(part.about, `${JSON.stringify(value.slice(0, 120))}: ${error.message}`, {
      line: part.lineOf(node.range?.[0] ?? 0),
      hint: isTemplate
        ? 'it looks like a template: render it first, for example with helm template'
        : error.hint,
    });
  }
  const { host, repository, tag, digest } = reference;
  if (tag !== undefined) return { name: { host, repository, tag }, digest };
  const made = digest === undefined ? parseTag('latest') : digestTag(digest);
  const untagged = digest === undefined ? 'latest' : 'digest';
  return { name: { host, repository, tag: made }, digest, untagged };
}

/** Returns each image once. Throws `MANIFEST_UNUSABLE` for two digests of one name. */
function imagesOf(fields: readonly ImageField[], about: string): ManifestImage[] {
  const images = new Map<string, ManifestImage>();
  for (const field of fields) {
    const image = imageOf(field);
    const name = formatReference(image.name);
    const known = images.get(name);
    if (known?.digest !== undefined && image.digest !== undefined && known.digest !== image.digest) {
      throw unusableManifest(
        about,
        `it contains ${name} with two digests, ${known.digest} and ${image.digest}`,
      );
    }
    images.set(name, { ...image, ...known, digest: known?.digest ?? image.digest });
  }
  return [...images.values()];
}

/** Returns the edit that replaces a scalar with another text, and keeps its quotes. */
function replaced(node: Scalar, text: string, source: string, what: string): TextEdit {
  const [start = 0, end = 0] = node.range ?? [];
  const quote = ['"', "'"].find((mark) => source.startsWith(mark, start)) ?? '';
  const isBlock = node.type === 'BLOCK_FOLDED' || node.type === 'BLOCK_LITERAL';
  return { start, end, text: isBlock ? `"${text}"\n` : `${quote}${text}${quote}`, what };
}

const DIGEST_TAKEN = 'removed digests from image names, because an image is packed for one platform only';
const POLICY_CHANGED = `changed the pull policy Always to ${POLICY}, so that images are pulled only if they are missing`;
const POLICY_ADDED = `added ${POLICY} to images without a tag or with latest, so that they are pulled only if they are missing`;
const INSECURE_ADDED = `added ${INSECURE}, because the kubelet certificates of a kubeadm cluster are self-signed`;

/** Returns the edits with which a cluster uses the packed image instead of pulling one. */
function imageEdits(field: ImageField): TextEdit[] {
  const { node, value, holder, part } = field;
  const { name, digest } = imageOf(field);
  const edits: TextEdit[] = [];
  if (digest !== undefined) {
    // An argument may be more than the name, as in --image=NAME.
    const source = String(node.value);
    const written = value.slice(0, value.indexOf('@'));
    const short = written.includes(`:${name.tag}`) ? written : `${written}:${name.tag}`;
    edits.push(replaced(node, source.replace(value, short), part.text, DIGEST_TAKEN));
  }
  if (holder === undefined) return edits;
  const policy = fieldOfMap(holder.map, holder.policyKey);
  if (isScalar(policy) && policy.value === 'Always') {
    edits.push(replaced(policy, POLICY, part.text, POLICY_CHANGED));
  } else if (isScalar(policy) && (policy.value === null || policy.value === '') && name.tag === 'latest') {
    const [start = 0, end = 0] = policy.range ?? [];
    edits.push({ start, end, text: ` "${POLICY}"`, what: POLICY_ADDED });
  } else if (policy === undefined && name.tag === 'latest') {
    const pair = holder.map.items.find((item) => item.value === node);
    const keyStart = pair !== undefined && isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
    const [, end = 0] = node.range ?? [];
    const isJson = part.text[keyStart] === '"';
    const added = isJson ? `"${holder.policyKey}": "${POLICY}"` : `${holder.policyKey}: ${POLICY}`;
    const text =
      holder.map.flow === true ? `, ${added}` : `\n${' '.repeat(columnOf(part.text, keyStart))}${added}`;
    edits.push({ start: end, end, text, what: POLICY_ADDED });
  }
  return edits;
}

/** Returns the edits that make a container trust kubelets with a self-signed certificate; none if it already does. */
function trustEdits({ containers }: ManifestFacts, container: string): TextEdit[] {
  return containers.flatMap(({ map, part }) => {
    const args = fieldOfMap(map, 'args');
    if (textOfMap(map, 'name') !== container || !isSeq(args)) return [];
    const last = args.items.at(-1);
    const isThere = args.items.some((item) => isScalar(item) && String(item.value).startsWith(INSECURE));
    if (isThere || !isScalar(last)) return [];
    const [start = 0, end = 0] = last.range ?? [];
    const dash = part.text.lastIndexOf('-', start - 1);
    const text =
      args.flow === true ? `, "${INSECURE}"` : `\n${' '.repeat(columnOf(part.text, dash))}- ${INSECURE}`;
    return [part.outward({ start: end, end, text, what: INSECURE_ADDED })];
  });
}

/**
 * Reads a manifest: its images, the pod network that it sets up, and the text that is packed, for which a cluster pulls
 * no image. `about` names the manifest. Throws `MANIFEST_UNUSABLE`.
 */
export function readManifest(text: string, about: string, wishes: ManifestWishes = {}): AddonManifest {
  const facts = manifestFacts(text, about);
  const images = imagesOf(facts.images, about);
  const { trustingContainer } = wishes;
  const edits = [
    ...facts.images.flatMap((field) => imageEdits(field).map(field.part.outward)),
    ...(trustingContainer === undefined ? [] : trustEdits(facts, trustingContainer)),
  ];
  const packed = editText(text, edits);
  requireEdited(packed, images, about);
  return {
    images,
    podNetwork: podNetworkOf(facts),
    packed,
    edits: [...new Set(edits.map(({ what }) => what))],
  };
}

/** Makes sure that the packed manifest names the same images and needs no more edits. */
function requireEdited(packed: string, images: readonly ManifestImage[], about: string): void {
  const names = (list: readonly ManifestImage[]): string =>
    list.map(({ name }) => formatReference(name)).join(' ');
  try {
    const facts = manifestFacts(packed, about);
    const again = imagesOf(facts.images, about);
    const isDone = facts.images.every((field) => imageEdits(field).length === 0);
    if (isDone && names(again) === names(images)) return;
  } catch (error) {
    throw unusableManifest(about, `it cannot be edited: ${describeFailure(error)}`);
  }
  throw unusableManifest(about, 'packer cannot edit YAML written in this form');
}
