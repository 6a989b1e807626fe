import { Failure } from '../lib/failure.ts';
import type { Reporter } from '../lib/reporter.ts';
import type { RetryPolicy } from '../lib/retry.ts';
import { parseReference } from '../registry/oci/reference.ts';
import type { Registries } from '../registry/registries.ts';
import { type ArtifactSettings, ArtifactTarget } from './artifact/artifact-target.ts';
import { QiniuTarget } from './qiniu/qiniu-target.ts';
import { RegistryTarget } from './registry/registry-target.ts';
import { ReleaseTarget } from './release/release-target.ts';
import type { PublishSettings } from './settings.ts';
import type { PublishTarget } from './target/target.ts';
import type { TargetWord } from './target-word.ts';

/** What the front gives to targets besides their settings. */
export interface TargetMeans {
  readonly attempts: RetryPolicy;
  /** Must know the credentials of `settings.image` for its host. */
  readonly registries: Registries;
  readonly reporter: Reporter;
  /** Only a workflow run has artifacts. */
  readonly artifacts: Omit<ArtifactSettings, 'overwrite'> | undefined;
}

/** What a runnable image is put on: it has `cp`, and is small. */
const BASE_IMAGE = parseReference('docker.io/library/busybox:stable');

/** Returns the chosen targets, ready to be proved. Throws `TARGET_UNAVAILABLE`. */
export function openTargets(settings: PublishSettings, means: TargetMeans): PublishTarget[] {
  return settings.targets.map((word) => openTarget(word, settings, means));
}

function openTarget(word: TargetWord, settings: PublishSettings, means: TargetMeans): PublishTarget {
  const { overwrite, qiniu, image, release } = settings;
  const { attempts, registries, reporter, artifacts } = means;
  if (word === 'qiniu' && qiniu !== undefined) return new QiniuTarget({ ...qiniu, attempts, overwrite });
  if (word === 'release' && release !== undefined) {
    return new ReleaseTarget({ ...release, attempts, overwrite });
  }
  if (word === 'dockerhub' && image !== undefined) {
    const { repository, form } = image;
    return new RegistryTarget({ registries, repository, form, base: BASE_IMAGE, overwrite, reporter });
  }
  if (word === 'artifact' && artifacts !== undefined) return new ArtifactTarget({ ...artifacts, overwrite });
  throw new Failure({
    code: 'TARGET_UNAVAILABLE',
    about: word,
    message: 'this target cannot be used here',
    hint: 'artifacts exist only in a workflow on GitHub; choose another target',
  });
}
