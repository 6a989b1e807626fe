import type { HttpClient, HttpTimeouts } from '../../lib/http/http.ts';
import type { Reporter } from '../../lib/reporter.ts';
import { formatSize } from '../../lib/text/size.ts';
import { formatReference } from '../../registry/oci/reference.ts';
import type { Registries } from '../../registry/registries.ts';
import type { SignatureCheck } from '../../signatures/signature-check.ts';
import type { BlobStore } from '../fetch/blob-store.ts';
import { ComponentCache, type FileKeeper } from '../fetch/component-cache.ts';
import { type ComponentFetch, type FetchedComponent, fetchComponents } from '../fetch/component-fetch.ts';
import { FetchProgress } from '../fetch/fetch-progress.ts';
import { UpstreamComparison } from '../fetch/image-check.ts';
import { blobsOf, type CheckedImage, fetchImages, lookUpImages } from '../fetch/image-fetch.ts';
import { ImageVerification } from '../fetch/image-signature.ts';
import { jointFailure } from '../fetch/joint-failure.ts';
import type { Makers } from '../fetch/makers.ts';
import { estimateSpace, requireRoom } from '../fetch/space.ts';
import type { ComponentPlan, PackagePlan } from '../plan/plan.ts';
import type { PackSettings } from '../settings.ts';
import type { Lock } from './lock.ts';
import { fetchedComponentLine, fetchedImageLine, unsignedWarnings } from './wording.ts';

/** What fetching works with. */
export interface Fetching {
  readonly settings: PackSettings;
  readonly registries: Registries;
  readonly makers: Makers;
  readonly http: HttpClient;
  readonly blobs: BlobStore;
  readonly folders: { readonly images: string; readonly downloads: string; readonly output: string };
  readonly keeper: FileKeeper | undefined;
  readonly lock: Lock | undefined;
  /** What verifies signatures, where they are wanted. */
  readonly signatures: SignatureCheck | undefined;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  readonly timeouts?: HttpTimeouts | undefined;
}

/** What a package is made of, on disk. */
export interface Fetched {
  readonly images: readonly CheckedImage[];
  readonly components: readonly FetchedComponent[];
}

const DOWNLOADS_AT_ONCE = 4;
const SIZE_LIMIT = 8 * 1024 ** 3;

/** What a lock has is fetched against its sum, wherever a checksum is published. */
function pinned(plan: ComponentPlan, lock: Lock | undefined): ComponentPlan {
  const locked = lock?.components.get(plan.name);
  return locked === undefined ? plan : { ...plan, check: { kind: 'pin', digest: locked.sha256 } };
}

/** Tells the check that the lock tells, so that the same lock gives the same package. */
function asLocked(
  component: FetchedComponent,
  plan: ComponentPlan,
  lock: Lock | undefined,
): FetchedComponent {
  const locked = lock?.components.get(plan.name);
  return locked === undefined ? component : { ...component, plan, check: locked.check };
}

function progressOf(fetching: Fetching, plan: PackagePlan, bytes: number | undefined): FetchProgress {
  return new FetchProgress(fetching.reporter, plan.images.length + plan.components.length, bytes);
}

function componentSettings(fetching: Fetching, progress: FetchProgress): ComponentFetch {
  const { settings, http, folders, keeper, reporter, signal } = fetching;
  return {
    http,
    retry: settings.retry,
    sizeLimit: SIZE_LIMIT,
    signal,
    folder: folders.downloads,
    concurrency: DOWNLOADS_AT_ONCE,
    cache: keeper && new ComponentCache(keeper, reporter),
    onProgress: (name, done) => progress.reached(name, done),
    onRetry: (name, error) => reporter.detail(`${name}: once more after ${String(error)}`),
    onFetched: (component) => {
      progress.ended(component.plan.name);
      if (component.from === 'network') reporter.line(fetchedComponentLine(component));
      else reporter.detail(`${component.plan.name} ${component.plan.tag} is there already`);
    },
  };
}

/**
 * Finds all images, makes sure that there is room, and fetches images and components at the same time. Everything is
 * verified when it returns; all that failed is told together.
 */
export async function fetchAll(plan: PackagePlan, fetching: Fetching): Promise<Fetched> {
  const { registries, makers, http, blobs, folders, lock, reporter, signal } = fetching;
  const comparison = new UpstreamComparison(makers, plan.platform);
  const { verifySignatures: mode } = fetching.settings;
  const check = fetching.signatures;
  const verification =
    check === undefined ? undefined : new ImageVerification({ mode, check, registries, makers });
  const parts = { registries, blobs, platform: plan.platform, signal, comparison, verification };
  const images = await lookUpImages(plan.images, parts, lock?.images);
  for (const text of unsignedWarnings(images)) reporter.warning(text);
  for (const { image } of images) {
    if (!image.namesArchitecture) continue;
    reporter.warning(
      `${formatReference(image.upstream)} is only there with the architecture in its name: ${formatReference(image.pulledBy)}`,
    );
  }
  const estimate = await estimateSpace(
    {
      blobs: images.flatMap(({ image }) => blobsOf(image)),
      blobFiles: (digest) => blobs.pathOf(digest),
      components: plan.components,
      downloads: folders.downloads,
    },
    http,
    signal,
  );
  await requireRoom(estimate, folders);
  const bytes = estimate.images + estimate.components;
  reporter.detail(`${formatSize(bytes)} to fetch, about ${formatSize(estimate.package)} for the package`);
  const progress = progressOf(fetching, plan, estimate.isWhole && bytes > 0 ? bytes : undefined);
  const plans = plan.components.map((component) => pinned(component, lock));
  const [imagesEnd, componentsEnd] = await Promise.allSettled([
    fetchImages(images, {
      registries,
      blobs,
      signal,
      onBytes: (image, count) => progress.moved(formatReference(image.upstream), count),
      onFetched: (checked) => {
        const name = formatReference(checked.image.upstream);
        progress.ended(name);
        const moved = progress.bytesOf(name);
        if (moved > 0) reporter.line(fetchedImageLine(checked, moved));
        else reporter.detail(`${name} is there already`);
      },
    }),
    fetchComponents(plans, componentSettings(fetching, progress)),
  ]);
  signal.throwIfAborted();
  if (imagesEnd.status === 'fulfilled' && componentsEnd.status === 'fulfilled') {
    const components = componentsEnd.value.flatMap((component, index) => {
      const wanted = plan.components[index];
      return wanted === undefined ? [] : [asLocked(component, wanted, lock)];
    });
    return { images, components };
  }
  const failures = [imagesEnd, componentsEnd].flatMap((end): unknown[] =>
    end.status === 'rejected' ? [end.reason] : [],
  );
  throw jointFailure(failures, {
    code: 'FETCH_FAILED',
    about: plan.fileName,
    message: 'images and components could not be fetched',
  });
}
