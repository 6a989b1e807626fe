import { pullCandidates } from '../../src/pack/plan/image-source.ts';
import type { ImagePlan } from '../../src/pack/plan/plan.ts';
import type { Digest } from '../../src/registry/oci/digest.ts';
import { parseReference, type Reference } from '../../src/registry/oci/reference.ts';

/** Returns the plan of an image for amd64 by its name upstream; `mirror` such as `mirror.lan:5000`. */
export function plannedImage(upstream: string, mirror?: Reference['host'], digest?: Digest): ImagePlan {
  const name = parseReference(upstream);
  const source =
    mirror === undefined
      ? ({ kind: 'upstream' } as const)
      : ({ kind: 'mirror', host: mirror, namespace: undefined } as const);
  return {
    name: name.repository,
    upstream: name,
    digest,
    candidates: pullCandidates(source, name, 'amd64'),
    place: { file: 'versions.json', line: 1, column: 1 },
  };
}
