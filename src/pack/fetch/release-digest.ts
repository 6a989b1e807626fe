import { z } from 'zod';
import { Failure } from '../../lib/failure.ts';
import { readJson } from '../../lib/json.ts';
import { listOf, TEXT_FIELD } from '../../lib/zero-value.ts';
import { type Digest, isDigest } from '../../registry/oci/digest.ts';

/** https://docs.github.com/en/rest/releases/releases#get-a-release-by-tag-name */
const releaseShape = z.object({
  assets: listOf(z.object({ name: z.string(), digest: TEXT_FIELD })),
});

/**
 * Returns the digest that GitHub publishes for a file of a release; undefined if the file does not exist, or has no
 * digest because it is older than June 2025. `about` names the answer. Throws `CHECKSUM_UNUSABLE` for an answer of
 * another shape.
 */
export function findReleaseDigest(answer: Buffer, fileName: string, about: string): Digest | undefined {
  try {
    const { assets } = releaseShape.parse(readJson(answer));
    const digest = assets.find(({ name }) => name === fileName)?.digest;
    return digest !== undefined && isDigest(digest) ? digest : undefined;
  } catch (cause) {
    throw new Failure({
      code: 'CHECKSUM_UNUSABLE',
      about,
      message: 'the response does not describe a release',
      hint: 'pin the download with "sha256" in the versions file',
      transient: true,
      cause,
    });
  }
}
