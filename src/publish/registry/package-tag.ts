import { parseTag, type Tag } from '../../registry/oci/reference.ts';

/** The architectures that packer packs for, and then words that may have another meaning in a name. */
const ARCHITECTURES = [/-(amd64|arm64|ppc64le|s390x|riscv64)(?=[.-]|$)/, /-(arm|386)(?=[.-]|$)/];

/** Returns the tag of a package: its name without `kube-` and `.tar.gz`, such as `1.36.2-amd64-beta`. */
export function packageTag(packageName: string): Tag {
  const bare = packageName.replace(/\.(?:tar(?:\.[a-z0-9]+)?|tgz)$/, '').replace(/^kube-/, '');
  return parseTag(bare.replaceAll(/[^\w.-]/g, '_').replace(/^[.-]+/, ''), packageName);
}

/** Returns the architecture in a package's name; `amd64` if it has none. */
export function packageArchitecture(packageName: string): string {
  const [named] = ARCHITECTURES.flatMap((words) => words.exec(packageName)?.[1] ?? []);
  return named ?? 'amd64';
}
