import type { KubeadmTags } from '../config/kubernetes/kubeadm-tags.ts';
import { type KubernetesVersion, kubernetesMinor } from '../config/kubernetes/kubernetes-version.ts';
import { isTag, type Tag } from '../registry/oci/reference.ts';
import { WrongAnswer } from './wrong-answer.ts';

/** The form that a value must have, so that a line with another meaning is not taken for a tag. */
const ETCD = /^\d{1,3}\.\d{1,3}\.\d{1,3}(?:-[0-9a-z.-]{1,20})?$/;
const COREDNS = /^v?\d{1,3}\.\d{1,3}\.\d{1,3}(?:-[0-9a-z.-]{1,20})?$/;
const PAUSE = /^\d{1,3}\.\d{1,3}(?:\.\d{1,3})?(?:-[0-9a-z.-]{1,20})?$/;

/** The tags of kubeadm's images as they were found, not yet checked. */
interface FoundTags {
  readonly etcd: string | undefined;
  readonly coredns: string | undefined;
  readonly pause: string | undefined;
}

function proven(image: string, text: string | undefined, shape: RegExp): Tag {
  if (text === undefined) throw new WrongAnswer(`it contains no ${image}`);
  if (!shape.test(text) || !isTag(text)) throw new WrongAnswer(`its value for ${image} is not a version`);
  return text;
}

/** Returns tags that look like tags of these images. Throws `WrongAnswer`. */
export function proveTags({ etcd, coredns, pause }: FoundTags): KubeadmTags {
  return {
    etcd: proven('etcd', etcd, ETCD),
    coredns: proven('coredns', coredns, COREDNS),
    pause: proven('pause', pause, PAUSE),
  };
}

/** `Name = "value"`, with or without a type and a comment after it. */
const CONSTANT = /^(?:const )?([A-Z][A-Za-z]{2,40})(?: string)? = "([^"]{0,100})"$/;
const MAP_BEGIN = /^(?:var )?SupportedEtcdVersion (?:map\[uint8\]string )?=/;
const MAP_ENTRY = /^(\d{1,3}): "([^"]{0,100})",$/;

/** Returns the lines of Go without the comments after them and without alignment in columns. */
function plainLines(text: string): string[] {
  return text.split('\n').map((line) => {
    const comment = line.indexOf('//');
    const code = comment < 0 ? line : line.slice(0, comment);
    return code
      .split(/[ \t\r]/)
      .filter((word) => word !== '')
      .join(' ');
  });
}

/** Returns the value of a constant; undefined if there is none, or more than one. */
function constantOf(lines: readonly string[], name: string): string | undefined {
  const values = lines.flatMap((line) => {
    const [, found, value] = CONSTANT.exec(line) ?? [];
    return found === name && value !== undefined ? [value] : [];
  });
  return new Set(values).size === 1 ? values[0] : undefined;
}

/** Returns which etcd goes with each minor; undefined if the file has no such map. */
function supportedEtcd(lines: readonly string[]): ReadonlyMap<number, string> | undefined {
  const begin = lines.findIndex((line) => MAP_BEGIN.test(line));
  if (begin < 0) return undefined;
  const end = lines.indexOf('}', begin);
  const entries = lines.slice(begin + 1, end < 0 ? begin + 1 : end).filter((line) => line !== '');
  const read = entries.flatMap((line): [number, string][] => {
    const [, minor, etcd] = MAP_ENTRY.exec(line) ?? [];
    return minor === undefined || etcd === undefined ? [] : [[Number(minor), etcd]];
  });
  if (read.length === 0 || read.length !== entries.length) {
    throw new WrongAnswer('its table of etcd versions has an unknown format');
  }
  return new Map(read);
}

/**
 * Returns the etcd of a minor as kubeadm chooses it: that of the minor, else of the nearest minor in its map, else its
 * default. https://github.com/kubernetes/kubernetes/blob/v1.37.0/cmd/kubeadm/app/images/images.go
 */
function etcdOf(lines: readonly string[], minor: number): string | undefined {
  const usual = constantOf(lines, 'DefaultEtcdVersion');
  const supported = supportedEtcd(lines);
  if (supported === undefined || usual === undefined) return usual;
  const minors = [...supported.keys()];
  const nearest = Math.min(Math.max(minor, Math.min(...minors)), Math.max(...minors));
  return supported.get(nearest) ?? usual;
}

/**
 * Returns the tags that kubeadm of a version uses, from cmd/kubeadm/app/constants/constants.go at its tag. Throws
 * `WrongAnswer` if they are not in the same place as in known releases.
 */
export function readKubeadmConstants(text: string, version: KubernetesVersion): KubeadmTags {
  const lines = plainLines(text);
  return proveTags({
    etcd: etcdOf(lines, kubernetesMinor(version)),
    coredns: constantOf(lines, 'CoreDNSVersion'),
    pause: constantOf(lines, 'PauseVersion'),
  });
}
