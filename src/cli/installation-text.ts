import { alignColumns, wrapLine } from '../lib/text/columns.ts';
import { joinWords } from '../lib/text/sentence.ts';
import { shortDigest } from '../registry/oci/digest.ts';
import { describeSignature } from '../sync/check/check-signatures.ts';
import { type CheckedInstallation, isInstallable, type NeededImage } from '../sync/check/installation.ts';

const NARROW = 100;

/**
 * Returns the result for people: the images, the configuration files if the mirror can be used, and the verdict as the
 * last line. `width` is the terminal's. Without it, no line is broken.
 */
export function installationLines(checked: CheckedInstallation, width?: number): string[] {
  const { version, architecture, mirror, images, files } = checked;
  const isNarrow = width !== undefined && width < NARROW;
  const shared = sharedMessages(images);
  const rows = images.map(({ name, reference, digest, verdict, message }) => [
    name,
    reference.slice(reference.indexOf('/') + 1),
    ...(isNarrow ? [] : [digest === undefined ? '-' : shortDigest(digest)]),
    message === '' || shared.has(message) ? verdict : `${verdict}: ${message}`,
  ]);
  const heads = ['IMAGE', 'AT THE MIRROR', ...(isNarrow ? [] : ['DIGEST']), 'VERDICT'];
  return [
    `Kubernetes ${version} for linux/${architecture} from ${mirror}`,
    '',
    ...alignColumns([heads, ...rows]),
    '',
    ...signatureLines(images),
    ...(isInstallable(checked) ? files.flatMap(({ path, text }) => [`# ${path}`, text]) : []),
    ...[...[...shared].map((message) => `unknown: ${message}`), ...verdictLines(checked)].map((line) =>
      wrapLine(line, width, 2),
    ),
  ];
}

/** Returns why images are not known, where several have the same reason. It is told once, below all of them. */
function sharedMessages(images: readonly NeededImage[]): ReadonlySet<string> {
  const unknown = images.filter(({ verdict }) => verdict === 'unknown').map(({ message }) => message);
  return new Set(unknown.filter((message, index) => unknown.indexOf(message) !== index));
}

/** Returns whose signatures the images have, or why none counts, each once. Empty if signatures are not checked. */
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

function verdictLines(checked: CheckedInstallation): string[] {
  const { version, architecture, images, names } = checked;
  if (isInstallable(checked)) {
    return [
      `installable: all ${images.length} images of Kubernetes ${version} for linux/${architecture} are there${untoldWords(images)}${signedWords(checked)}`,
    ];
  }
  const unknown = images.filter(({ verdict }) => verdict === 'unknown');
  const lacking = images.filter(({ verdict }) => verdict !== 'there' && verdict !== 'unknown');
  const unsigned = checked.requiresSignatures ? images.filter(isUnverified) : [];
  const misnamed = names.kind === 'usable' ? [] : names.misnamed;
  return [
    ...misnamed.map(
      ({ name, expected, found }) =>
        `not installable: kubeadm asks for ${expected}, and the mirror calls it ${found} ` +
        `(use --naming basename, or a patch {"match": ${JSON.stringify(name)}, "name": ${JSON.stringify(lastPart(name))}})`,
    ),
    ...(lacking.length === 0
      ? []
      : [
          `not installable: missing ${joinWords(lacking.map(({ name }) => name))} ` +
            `(${remedyFor(lacking)}put "${version}" under "kubernetes" in the image set, and run ${commandFor(lacking)})`,
        ]),
    ...(unsigned.length === 0
      ? []
      : [`not installable: no signature counts of ${joinWords(unsigned.map(({ name }) => name))}`]),
    ...(unknown.length === 0
      ? []
      : [`not known: ${joinWords(unknown.map(({ name }) => name))} could not be asked for`]),
  ];
}

function isUnverified({ signature }: NeededImage): boolean {
  return signature?.status === 'unverified';
}

/** Returns of how many images the mirror does not tell all, behind "are there". */
function untoldWords(images: readonly NeededImage[]): string {
  const untold = images.filter(({ message }) => message !== '').length;
  return untold === 0 ? '' : `, ${untold} of them as far as the mirror tells`;
}

/** Returns what is to be said of signatures behind "are there". */
function signedWords({ images }: CheckedInstallation): string {
  if (images.every(({ signature }) => signature === undefined)) return '';
  const unverified = images.filter(isUnverified).length;
  if (unverified > 0) return `, ${unverified} of them without a signature that counts`;
  const isAll = images.every(({ signature }) => signature?.status === 'verified');
  return isAll ? ', and signed' : '';
}

function remedyFor(lacking: readonly NeededImage[]): string {
  const isNarrow = lacking.some(({ verdict }) => verdict === 'other-platforms');
  return isNarrow ? 'widen --platform, ' : '';
}

/** What lacks only parts is unchanged to a run that does not look below the tags. */
function commandFor(lacking: readonly NeededImage[]): string {
  const isDeep = lacking.some(({ verdict }) => verdict === 'incomplete');
  return isDeep ? 'synctl sync --verify deep' : 'synctl sync';
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** Returns the result for programs, to be written as JSON. */
export function installationJson(checked: CheckedInstallation): unknown {
  const { version, architecture, mirror, images, names, files } = checked;
  return {
    kubernetes: version,
    platform: `linux/${architecture}`,
    mirror,
    installable: isInstallable(checked),
    missing: images.filter(({ verdict }) => verdict !== 'there').map(({ name }) => name),
    images,
    misnamed: names.kind === 'usable' ? [] : names.misnamed,
    signaturesRequired: checked.requiresSignatures,
    files: Object.fromEntries(files.map(({ path, text }) => [path, text])),
  };
}
