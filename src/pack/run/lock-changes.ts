import { Failure } from '../../lib/failure.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { formatReference } from '../../registry/oci/reference.ts';
import type { ComponentPlan, ImagePlan, PackagePlan } from '../plan/plan.ts';
import type { Lock } from './lock.ts';

function imageChanges(plan: ImagePlan, lock: Lock): string[] {
  const upstream = formatReference(plan.upstream);
  const locked = lock.images.get(upstream);
  if (locked === undefined) return [`${upstream} is not in the lock`];
  const pulledBy = formatReference(locked.pulledBy);
  const names = plan.candidates.map(({ reference }) => formatReference(reference));
  if (!names.includes(pulledBy))
    return [`${upstream} was pulled as ${pulledBy}, now it would be ${names[0]}`];
  const isPinned = plan.digest === undefined || [locked.digest, locked.index].includes(plan.digest);
  return isPinned ? [] : [`${upstream} was ${locked.digest}, now it is pinned to ${plan.digest}`];
}

function componentChanges({ name, tag, url, check }: ComponentPlan, lock: Lock): string[] {
  const locked = lock.components.get(name);
  if (locked === undefined) return [`${name} ${tag} is not in the lock`];
  if (locked.tag !== tag) return [`${name} was ${locked.tag}, now it is ${tag}`];
  if (locked.url !== url.href)
    return [`${name} ${tag} came from ${locked.url}, now it would from ${url.href}`];
  const isPinned = check.kind !== 'pin' || check.digest === locked.sha256;
  return isPinned ? [] : [`${name} ${tag} was ${locked.sha256}, now it is pinned to another digest`];
}

/** Tells, a sentence each, what a plan wants otherwise than a lock has it; nothing where it is the same. */
export function planChanges(lock: Lock, plan: PackagePlan, imageFormat: string): string[] {
  const images = new Set(plan.images.map(({ upstream }) => formatReference(upstream)));
  const components = new Set(plan.components.map(({ name }) => name));
  return [
    ...(lock.package === plan.fileName
      ? []
      : [`the package was ${lock.package}, now it is ${plan.fileName}`]),
    ...(lock.imageFormat === imageFormat
      ? []
      : [`images were packed as ${lock.imageFormat}, now as ${imageFormat}`]),
    ...plan.images.flatMap((image) => imageChanges(image, lock)),
    ...[...lock.images.keys()]
      .filter((name) => !images.has(name))
      .map((name) => `${name} is no longer wanted`),
    ...plan.components.flatMap((component) => componentChanges(component, lock)),
    ...[...lock.components.keys()]
      .filter((name) => !components.has(name))
      .map((name) => `${name} is no longer wanted`),
  ];
}

/** Tells which files of the package are other than a lock has them. */
export function fileChanges(lock: Lock, files: ReadonlyMap<string, Digest>): string[] {
  const paths = [...new Set([...lock.files.keys(), ...files.keys()])].toSorted();
  return paths.flatMap((path) => {
    const [before, now] = [lock.files.get(path), files.get(path)];
    if (before === now) return [];
    if (before === undefined) return [`${path} is new`];
    return [now === undefined ? `${path} is gone` : `${path} has other content`];
  });
}

/** Throws `LOCK_DIFFERS` unless nothing changed. */
export function requireUnchanged(lock: Lock, changes: readonly string[]): void {
  if (changes.length === 0) return;
  throw new Failure({
    code: 'LOCK_DIFFERS',
    about: lock.file,
    message: `the package would not be the locked one:\n${changes.map((change) => `  ${change}`).join('\n')}`,
    hint: 'undo the change, or remove the lock to write a new one',
  });
}
