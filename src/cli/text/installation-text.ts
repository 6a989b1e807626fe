import type { KubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import { alignColumns, wrapLine } from '../../lib/text/columns.ts';
import { joinWords } from '../../lib/text/sentence.ts';
import { shortDigest } from '../../registry/oci/digest.ts';
import { describeSignature } from '../../sync/check/check-signatures.ts';
import { type CheckedInstallation, isInstallable, type NeededImage } from '../../sync/check/installation.ts';

const NARROW = 100;

/**
 * Returns the result for people: the images, the configuration files if the mirror can be used, and the verdict as the
 * last line. `width` is the terminal's. Without it, no line is broken.
 */
export function installationLines(checked: CheckedInstallation, width?: number): string[] {
  const { architecture, mirror, images, files } = checked;
  const isNarrow = width !== undefined && width < NARROW;
  const shared = sharedMessages(images);
  const lacking = images.filter(({ isOptional, verdict }) => isOptional && verdict !== 'there');
  const rows = images.map(({ name, reference, digest, verdict, message, isOptional }) => [
    name,
    reference.slice(reference.indexOf('/') + 1),
    ...(isNarrow ? [] : [digest === undefined ? '-' : shortDigest(digest)]),
    `${message === '' || shared.has(message) ? verdict : `${verdict}: ${message}`}${isOptional ? ' (optional)' : ''}`,
  ]);
  const heads = ['IMAGE', 'AT THE MIRROR', ...(isNarrow ? [] : ['DIGEST']), 'VERDICT'];
  return [
    `${releaseWords(checked)} for linux/${architecture} from ${mirror}`,
    '',
    ...alignColumns([heads, ...rows]),
    '',
    ...signatureLines(images),
    ...(isInstallable(checked) ? files.flatMap(({ path, text }) => [`# ${path}`, text]) : []),
    ...[
      ...(isInstallable(checked) ? unfoundLines(checked) : []),
      ...[...shared].map((message) => `unknown: ${message}`),
      ...optionalLines(lacking),
      pullLine(checked),
      ...verdictLines(checked),
    ].map((line) => wrapLine(line, width, 2)),
  ];
}

/** Returns the version, with the word that meant it, and where its tags come from if not from the built-in table. */
function releaseWords({ version, word, origin }: CheckedInstallation): string {
  const facts = [
    ...(word.text === version ? [] : [word.text]),
    ...(origin === 'table' ? [] : [`tags from ${origin}`]),
  ];
  return `Kubernetes ${version}${facts.length === 0 ? '' : ` (${facts.join('; ')})`}`;
}

/**
 * Returns for each registry which of its images containerd does not find at the mirror with `hosts.toml`, and what to
 * do.
 */
function unfoundLines({ unfound, mirror, images }: CheckedInstallation): string[] {
  const host = mirror.split('/')[0] ?? mirror;
  const ofKubeadm = new Set(
    images.filter((image) => image.for === 'kubeadm').map(({ reference }) => withoutTag(reference)),
  );
  return [...Map.groupBy(unfound, (name) => name.host)].map(([upstream, names]) => {
    const one = names.length === 1;
    const there = joinWords(names.map((name) => `${host}/${name.mirror}`));
    const isOfKubeadm = names.every((name) => ofKubeadm.has(`${host}/${name.mirror}`));
    const remedy = isOfKubeadm
      ? `kubeadm.yaml already has ${one ? 'this name' : 'these names'}`
      : `write ${one ? 'this name' : 'these names'} into the manifests`;
    return (
      `not found by hosts.toml: ${joinWords(names.map(({ repository }) => repository))} of ${upstream}, which the mirror has as ${there}, ` +
      `because containerd can only put a path before a name (${remedy}, or mirror with --naming path and without patches)`
    );
  });
}

function withoutTag(reference: string): string {
  return reference.slice(0, Math.max(reference.lastIndexOf(':'), reference.lastIndexOf('/')));
}

/** Returns the reasons that several unknown images share. Each is printed once, below all images. */
function sharedMessages(images: readonly NeededImage[]): ReadonlySet<string> {
  const unknown = images.filter(({ verdict }) => verdict === 'unknown').map(({ message }) => message);
  return new Set(unknown.filter((message, index) => unknown.indexOf(message) !== index));
}

/** Returns who signed the images, or why no signature is valid, each once. Empty if signatures are not checked. */
function signatureLines(images: readonly NeededImage[]): string[] {
  const checked = images.flatMap(({ name, signature }) =>
    signature === undefined ? [] : [{ name, words: describeSignature(signature) }],
  );
  const lines = [...Map.groupBy(checked, ({ words }) => words)].map(([words, ones]) =>
    ones.length === images.length
      ? `signatures: ${words}`
      : `signature of ${joinWords(ones.map(({ name }) => name))}: ${words}`,
  );
  return lines.length === 0 ? [] : [...lines, ''];
}

/**
 * Returns a line about missing images that an installation with upstream's defaults does not need; none if all are
 * there.
 */
function optionalLines(lacking: readonly NeededImage[]): string[] {
  if (lacking.length === 0) return [];
  const names = joinWords(lacking.map(({ name }) => name));
  const one = lacking.length === 1;
  return [
    `optional: ${names} ${one ? 'is' : 'are'} not there, and ${one ? 'is' : 'are'} needed only for ${one ? 'a feature' : 'features'} that upstream's defaults leave off`,
  ];
}

/** Returns whether machines can pull without a login, and what to do if they cannot. */
function pullLine({ images, withoutLogin: { verdict, message, requested } }: CheckedInstallation): string {
  const isPart = requested < images.length;
  const words = {
    yes: isPart ? `yes, for the ${requested} of ${images.length} images that are there` : 'yes',
    no:
      `no: machines need a login, as ${message} (add an "authorization" header to its [host] in hosts.toml; ` +
      'imagePullSecrets work for pods, but not for kubeadm and static pods)',
    unknown: `unknown: ${message}`,
  };
  return `pull without login  ${words[verdict]}`;
}

/** Returns who can pull the images that are there, as the end of the verdict. */
function pulledBy({ withoutLogin: { verdict } }: CheckedInstallation): string {
  return {
    yes: '; machines need no login',
    no: '; machines need a login',
    unknown: '; whether machines need a login is not known',
  }[verdict];
}

function verdictLines(checked: CheckedInstallation): string[] {
  const { version, architecture, names } = checked;
  const images = checked.images.filter(({ isOptional }) => !isOptional);
  if (isInstallable(checked)) {
    const needed = images.filter((image) => image.for === 'kubeadm');
    const network = images.length - needed.length;
    return [
      `installable: all ${needed.length} images of Kubernetes ${version}${network === 0 ? '' : ` and ${network} of the network`} for linux/${architecture} are there${untoldWords(images)}${signedWords(images)}${assumedWords(checked)}${pulledBy(checked)}`,
    ];
  }
  const unknown = images.filter(({ verdict }) => verdict === 'unknown');
  const lacking = images.filter(({ verdict }) => verdict !== 'there' && verdict !== 'unknown');
  const unsigned = checked.requiresSignatures ? images.filter(isUnverified) : [];
  const misnamed = names.kind === 'usable' ? [] : names.misnamed;
  return [
    ...misnamed.map(
      ({ name, expected, found }) =>
        `not installable: kubeadm pulls ${expected}, but the mirror has it as ${found} ` +
        `(use --naming basename, or a patch {"match": ${JSON.stringify(name)}, "name": ${JSON.stringify(lastPart(name))}})`,
    ),
    ...(lacking.length === 0
      ? []
      : [
          `not installable: missing ${joinWords(lacking.map(({ name }) => name))} ` +
            `(${remedyFor(lacking, version)}run ${commandFor(lacking)})`,
        ]),
    ...(unsigned.length === 0
      ? []
      : [`not installable: no valid signature for ${joinWords(unsigned.map(({ name }) => name))}`]),
    ...(unknown.length === 0
      ? []
      : [`unknown: ${joinWords(unknown.map(({ name }) => name))} could not be checked`]),
  ];
}

function isUnverified({ signature }: NeededImage): boolean {
  return signature?.status === 'unverified';
}

/** Returns how many images the mirror does not report in full, for the text after "are there". */
function untoldWords(images: readonly NeededImage[]): string {
  const untold = images.filter(({ message }) => message !== '').length;
  return untold === 0 ? '' : `, ${untold} of them as far as the mirror reports`;
}

/** Returns the words about signatures after "are there". */
function signedWords(images: readonly NeededImage[]): string {
  if (images.every(({ signature }) => signature === undefined)) return '';
  const unverified = images.filter(isUnverified).length;
  if (unverified > 0) return `, ${unverified} of them without a valid signature`;
  const isAll = images.every(({ signature }) => signature?.status === 'verified');
  return isAll ? ', and signed' : '';
}

/** Returns the condition of "installable" if the tags are assumed. */
function assumedWords({ isAssumed, origin }: CheckedInstallation): string {
  return isAssumed ? `, if its etcd, CoreDNS and pause are those of the ${origin}` : '';
}

function remedyFor(lacking: readonly NeededImage[], version: KubernetesVersion): string {
  const isNarrow = lacking.some(({ verdict }) => verdict === 'other-platforms');
  const isOfKubeadm = lacking.some((image) => image.for === 'kubeadm');
  const wider = isNarrow ? 'widen --platform, ' : '';
  if (isOfKubeadm) {
    return `${wider}put "${version}", or a word that means it, under "kubernetes" in the image set, and `;
  }
  return isNarrow ? 'widen --platform, and ' : '';
}

/** For a run that does not check below the tags, an image that lacks only parts is unchanged. */
function commandFor(lacking: readonly NeededImage[]): string {
  const isDeep = lacking.some(({ verdict }) => verdict === 'incomplete');
  return isDeep ? 'synctl sync --verify deep' : 'synctl sync';
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** Returns the result for programs, to be written as JSON. */
export function installationJson(checked: CheckedInstallation): unknown {
  const { version, word, origin, architecture, mirror, images, names, files } = checked;
  return {
    kubernetes: version,
    asked: word.text,
    origin,
    platform: `linux/${architecture}`,
    mirror,
    installable: isInstallable(checked),
    missing: namesNotThere(images, false),
    missingOptional: namesNotThere(images, true),
    pullWithoutLogin: checked.withoutLogin,
    images: images.map(({ isOptional, ...image }) => ({ ...image, optional: isOptional })),
    unfound: checked.unfound.map(({ host, repository, mirror: there }) => ({
      image: `${host}/${repository}`,
      mirror: there,
    })),
    misnamed: names.kind === 'usable' ? [] : names.misnamed,
    signaturesRequired: checked.requiresSignatures,
    files: Object.fromEntries(files.map(({ path, text }) => [path, text])),
  };
}

function namesNotThere(images: readonly NeededImage[], isOptional: boolean): string[] {
  return images
    .filter((image) => image.isOptional === isOptional && image.verdict !== 'there')
    .map(({ name }) => name);
}
