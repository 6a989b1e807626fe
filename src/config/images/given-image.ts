import { Failure } from '../../lib/failure.ts';
import { hasLogin, mayHoldSecret, withoutSecrets } from '../../lib/text/hidden-secrets.ts';
import { withPlainCharacters } from '../../lib/text/look-alike.ts';
import { formatCount } from '../../lib/text/sentence.ts';
import { pageOfImage } from '../../registry/oci/pasted-name.ts';
import { parseReference, parseTag, type Reference } from '../../registry/oci/reference.ts';
import {
  KUBERNETES_REGISTRY,
  namesOldRegistry,
  OLD_KUBERNETES_REGISTRY,
  withoutKubernetesHost,
} from '../image-set-name.ts';
import { placeholderIn } from './placeholder.ts';
import { pulledImages } from './pull-command.ts';

const DEFAULT_TAG = parseTag('latest');
/** Longer than any address of an image, and any command that pulls one. */
const LENGTH_LIMIT = 2000;

const LENGTH_SHOWN = 200;
/** Longer than any login in front of what is shown. */
const LENGTH_SEARCHED = 10_000;
/** What lists of image IDs have. Docker refuses it as a name too, which the grammar of names allows. */
const BARE_DIGEST = /^@?(?:sha256:)?[0-9a-f]{64}$/;

/**
 * Returns the text of an image or file as messages show it: cut if it is long, and without secrets, which logs would keep. Of a
 * command such as `docker login` it shows the name.
 */
export function shownName(text: string): string {
  if (mayHoldSecret(text.slice(0, LENGTH_SEARCHED)))
    return `${/[^\s=]+/.exec(text)?.[0].slice(0, 30) ?? ''} …`;
  const shown = withoutSecrets(text.slice(0, LENGTH_SEARCHED));
  return shown.length > LENGTH_SHOWN ? `${shown.slice(0, LENGTH_SHOWN)}…` : shown;
}

/**
 * Returns an image as an argument of a command: `nginx` is docker.io/library/nginx:latest. Addresses of web pages that
 * show an image, and `docker pull` in front, are understood. Throws `REFERENCE_MALFORMED`.
 */
export function parseGivenImage(text: string): Reference {
  if (text.length > LENGTH_LIMIT) {
    throw new Failure({
      code: 'REFERENCE_MALFORMED',
      fault: 'usage',
      about: shownName(text),
      message: `it has ${formatCount(text.length)} characters, but names of images have at most a few hundred`,
      hint: 'write one image per line',
    });
  }
  const name = nameIn(text);
  if (mayHoldSecret(name)) {
    throw new Failure({
      code: 'REFERENCE_MALFORMED',
      fault: 'usage',
      about: shownName(name),
      message: 'it is not an image, and is not shown because it may contain a password',
      hint: 'remove it from the list',
    });
  }
  if (BARE_DIGEST.test(name)) {
    throw new Failure({
      code: 'REFERENCE_MALFORMED',
      fault: 'usage',
      about: shownName(name),
      message: 'it is a digest without the name of an image',
      hint: 'write the name in front of it, such as nginx@sha256:…',
    });
  }
  const placeholder = placeholderIn(name);
  if (placeholder !== undefined) {
    throw new Failure({
      code: 'REFERENCE_MALFORMED',
      fault: 'usage',
      about: shownName(name),
      message: `it contains ${placeholder.what}`,
      hint: placeholder.hint,
    });
  }
  const page = hasLogin(name) ? undefined : pageOfImage(name);
  const whole = page ?? name.replace(/^docker:\/\//, '');
  const reference = parseReference(
    namesOldRegistry(whole) ? `${KUBERNETES_REGISTRY}/${withoutKubernetesHost(whole)}` : whole,
  );
  const isOpen = reference.tag === undefined && reference.digest === undefined;
  return isOpen ? { ...reference, tag: DEFAULT_TAG } : reference;
}

/** Returns what the text of an image leaves open, and how keel-pkg reads it, as a clause; undefined if it is complete. */
export function readingNotice(text: string, { tag, digest }: Reference): string | undefined {
  const name = nameIn(text);
  const isOpen = digest === undefined && tag === DEFAULT_TAG && !name.endsWith(`:${DEFAULT_TAG}`);
  const parts = [
    ...(namesOldRegistry(name)
      ? [`${OLD_KUBERNETES_REGISTRY} has been frozen since 2023 and is read as ${KUBERNETES_REGISTRY}`]
      : []),
    ...(isOpen ? ['it has no tag, so the tag is latest'] : []),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}

/** Returns the name of the image without the text that people write or paste around it. */
function nameIn(text: string): string {
  const plain = withPlainCharacters(text).trim();
  const pulled = pulledImages(plain);
  const name = pulled?.length === 1 ? (pulled[0]?.text ?? '') : plain;
  return trimmed(name);
}

/** Characters that quotes and lists put around a name. */
const AROUND: ReadonlySet<string> = new Set(['"', "'", '`', ',', ';', ' ']);

/** Returns a text without quotes and separators at its ends. */
function trimmed(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && AROUND.has(text.charAt(start))) start += 1;
  while (end > start && AROUND.has(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}
