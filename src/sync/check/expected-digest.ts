import { failureCode } from '../../lib/failure.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { hasDigest, type Manifest } from '../../registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../registry/oci/media-type.ts';
import type { Platform } from '../../registry/oci/platform.ts';
import { conversionFor, formImage, type RefusedFormat } from '../copy/format.ts';
import { requireReasonable } from '../copy/index-limits.ts';
import { choosePlatforms } from '../copy/platform-choice.ts';
import { uniteSignatures } from '../copy/signature-union.ts';
import type { Conversion } from '../plan/recorded-options.ts';

/** How an image at the destination may differ from the one at the source and still be its mirror. */
export type Change = 'platforms' | 'beside-others' | Conversion;

/** What the destination should have. `change` is undefined if it is what the source has. */
interface ExpectedImage {
  readonly digest: Digest;
  readonly change?: Change | undefined;
}

/** An image at the source, and what the destination has under its name. */
interface Comparison {
  readonly original: Manifest;
  readonly there: { readonly digest: Digest; readonly mediaType?: string | undefined } | undefined;
  /** Returns what the destination has, if that matters: for signatures next to those of others. */
  readonly standing: (() => Promise<Manifest | undefined>) | undefined;
  /** Empty means all. */
  readonly platforms: readonly Platform[];
  /** Returns a manifest of the source. */
  readonly fetch: (digest: Digest) => Promise<Manifest>;
  readonly about: string;
}

const OCI: readonly RefusedFormat[] = ['oci-index', 'oci-image'];
const DOCKER: readonly RefusedFormat[] = ['docker-list', 'docker-image'];
const DOCKER_TYPES: readonly string[] = [MEDIA_TYPE.dockerList, MEDIA_TYPE.dockerManifest];

/**
 * Returns the digest that an image should have at the destination, in the algorithm of the destination if it has the
 * image. All of it follows from the source: the chosen platforms, and the format to which an image is converted if the
 * registry refuses its own. The state is not used, because anyone who can write to it could pass off any image as this
 * one. Throws failures of the source, `PLATFORM_MISSING` and `INDEX_UNREASONABLE`.
 */
export async function expectedImage(comparison: Comparison): Promise<ExpectedImage> {
  const { original, there, standing, platforms, fetch, about } = comparison;
  const { manifest: chosen, parts } = await choosePlatforms(original, { platforms, about, fetch });
  const plain: ExpectedImage = {
    digest: chosen.digest,
    change: chosen.digest === original.digest ? undefined : 'platforms',
  };
  if (there === undefined) return plain;
  if (hasDigest(chosen, there.digest)) return { ...plain, digest: there.digest };
  if (standing !== undefined) {
    const theirs = await standing();
    const isComplete = theirs !== undefined && uniteSignatures(original, theirs, about).kind === 'complete';
    return isComplete ? { digest: there.digest, change: 'beside-others' } : plain;
  }
  if (chosen.kind === 'index') requireReasonable(chosen, 0, new Set(), about);
  const fetchPart = async (digest: Digest): Promise<Manifest> => parts.get(digest) ?? (await fetch(digest));
  for (const conversion of conversionsTo(there.mediaType, chosen)) {
    if (await becomes(chosen, conversion, { digest: there.digest, fetch: fetchPart, about }))
      return { digest: there.digest, change: conversion };
  }
  return plain;
}

/** Returns the conversions by which an image may have got its type at the destination. */
function conversionsTo(mediaType: string | undefined, chosen: Manifest): readonly Conversion[] {
  const isDocker = mediaType !== undefined && DOCKER_TYPES.includes(mediaType);
  const refused = [['attestation'] as const, isDocker ? OCI : DOCKER];
  const found = refused.map((formats) => conversionFor(chosen, new Set<RefusedFormat>(formats)));
  return [...new Set(found)].filter((conversion) => conversion !== undefined);
}

/** Returns whether an image has a digest after a conversion. */
async function becomes(
  chosen: Manifest,
  conversion: Conversion,
  { digest, fetch, about }: Pick<Comparison, 'fetch' | 'about'> & { readonly digest: Digest },
): Promise<boolean> {
  try {
    const { manifest } = await formImage(chosen, conversion, fetch, about);
    return hasDigest(manifest, digest);
  } catch (error) {
    if (failureCode(error) === 'FORMAT_UNCONVERTIBLE') return false;
    throw error;
  }
}
