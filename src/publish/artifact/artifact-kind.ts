import { Failure } from '../../lib/failure.ts';
import type { OpenTarget, TargetKind } from '../contract/target-kind.ts';
import { ArtifactTarget } from './artifact-target.ts';

/** Artifacts of the workflow run. */
export const ARTIFACT: TargetKind<'artifact', never> = {
  word: 'artifact',
  direction: 'as an artifact of the workflow run',
  group: 'Artifact',
  flags: [],
  read: readArtifact,
};

function readArtifact(): OpenTarget {
  return ({ artifacts, overwrite }) => {
    if (artifacts !== undefined) return new ArtifactTarget({ ...artifacts, overwrite });
    throw new Failure({
      code: 'TARGET_UNAVAILABLE',
      about: ARTIFACT.word,
      message: 'this target is not available here',
      hint: 'artifacts exist only in a workflow on GitHub; choose another target',
    });
  };
}
