import { describeFailure, failureCode } from '../../lib/failure.ts';
import { readAuthorities } from '../../lib/http/certificate-authorities.ts';
import { HttpClient } from '../../lib/http/http.ts';
import type { Reporter } from '../../lib/reporter.ts';
import { formatSize } from '../../lib/text/size.ts';
import { formatReference } from '../../registry/oci/reference.ts';
import { type ConnectionParts, openRegistries, type Registries } from '../../registry/registries.ts';
import type { SignatureCheck } from '../../signatures/signature-check.ts';
import { type BlobFiles, BlobStore } from '../fetch/blob-store.ts';
import { ComponentCache, type FileKeeper } from '../fetch/component-cache.ts';
import { type FetchedComponent, fetchComponents } from '../fetch/component-fetch.ts';
import { FetchProgress } from '../fetch/fetch-progress.ts';
import {
  blobsOf,
  type CheckedImage,
  type ComparedImage,
  fetchImages,
  lookUpImages,
} from '../fetch/image-fetch.ts';
import { ImageVerification } from '../fetch/image-signature.ts';
import { allOrFailures, jointFailure } from '../fetch/joint-failure.ts';
import { UpstreamComparison } from '../fetch/maker-comparison.ts';
import { MakerRegistries } from '../fetch/maker-registries.ts';
import { estimateSpace, requireRoom } from '../fetch/space.ts';
import type { ComponentPlan, PackagePlan } from '../plan/plan.ts';
import type { PackSettings } from '../settings.ts';
import type { Lock } from './lock-file.ts';
import { fetchedComponentLine, fetchedImageLine, unsignedWarnings } from './wording.ts';

/** What is fetched, and against what it is checked. */
interface FetchTask {
  readonly settings: PackSettings;
  readonly plan: PackagePlan;
  readonly lock: Lock | undefined;
  /** What verifies signatures; undefined if none are wanted. */
  readonly signatures: SignatureCheck | undefined;
  readonly folders: { readonly images: string; readonly downloads: string; readonly output: string };
}

interface FetchParts extends Omit<ConnectionParts, 'onRetry'> {
  readonly reporter: Reporter;
  readonly keeper?: FileKeeper | undefined;
}

/** Where everything is fetched from. */
interface Sources {
  readonly registries: Registries;
  readonly makers: MakerRegistries;
  readonly http: HttpClient;
}

/** What a package is made of, on disk. */
interface Fetched {
  readonly images: readonly CheckedImage[];
  readonly components: readonly FetchedComponent[];
  readonly blobFiles: BlobFiles;
}

const DOWNLOADS_AT_ONCE = 4;
const SIZE_LIMIT = 8 * 1024 ** 3;

/** Opens what is fetched from, on a stack that closes it, also if a later one cannot be opened. */
async function openSources(
  stack: DisposableStack,
  settings: PackSettings,
  parts: FetchParts,
): Promise<Sources> {
  const { registry: host, username, password, tlsSkipVerify: unverified, caFile } = settings;
  const { reporter, timeouts } = parts;
  const connection = { ...settings, login: { host, username, password } };
  const onRetry = (error: unknown): void => reporter.detail(`retrying after ${describeFailure(error)}`);
  const close = (opened: { close(): void }): void => opened.close();
  const authorities = await readAuthorities(caFile, parts.signal);
  const connectionParts = { ...parts, onRetry, authorities };
  const http = stack.adopt(new HttpClient({ authorities, unverified, timeouts }), close);
  const registries = stack.adopt(await openRegistries(connection, connectionParts), close);
  const makers = stack.adopt(await MakerRegistries.open(connection, connectionParts), close);
  return { registries, makers, http };
}

/** Returns a component that is checked against the checksum in a lock, wherever its checksum is published. */
function pinned(plan: ComponentPlan, lock: Lock | undefined): ComponentPlan {
  const locked = lock?.components.get(plan.name);
  return locked === undefined ? plan : { ...plan, check: { kind: 'pin', digest: locked.sha256 } };
}

/**
 * Returns a component with the check and the mirror that its lock records, so that the same lock produces the same
 * package.
 */
function asLocked(
  component: FetchedComponent,
  plan: ComponentPlan,
  lock: Lock | undefined,
): FetchedComponent {
  const locked = lock?.components.get(plan.name);
  return locked === undefined
    ? component
    : { ...component, plan, check: locked.check, mirror: locked.mirror };
}

/** The fetching of one package, step by step. */
class Fetching {
  readonly #task: FetchTask;
  readonly #sources: Sources;
  readonly #parts: FetchParts;
  readonly #blobs: BlobStore;
  readonly #waits = new Set<string>();

  constructor(task: FetchTask, sources: Sources, parts: FetchParts) {
    this.#task = task;
    this.#sources = sources;
    this.#parts = parts;
    this.#blobs = new BlobStore(task.folders.images, () => this.#wait(task.folders.images));
  }

  async run(): Promise<Fetched> {
    const { makers } = this.#sources;
    const comparison = new UpstreamComparison(makers, this.#task.plan.platform);
    const found = await this.#findImages(comparison);
    const progress = await this.#makeRoom(found);
    const images = this.#fetchImages(found, comparison, progress);
    const components = this.#fetchComponents(progress);
    const { failures } = await allOrFailures<unknown>([images, components]);
    this.#parts.signal.throwIfAborted();
    if (failures.length === 0) {
      const blobFiles: BlobFiles = (digest) => this.#blobs.pathOf(digest);
      return { images: await images, components: await components, blobFiles };
    }
    throw jointFailure(
      failures.map((error) => ({ error })),
      {
        code: 'FETCH_FAILED',
        about: this.#task.plan.fileName,
        message: 'images and components could not be fetched',
      },
    );
  }

  /** Reports, once for each folder, that it waits for another run that is fetching into it. */
  #wait(folder: string): void {
    if (this.#waits.has(folder)) return;
    this.#waits.add(folder);
    this.#parts.reporter.line(`waiting for another run that is fetching into ${folder}`);
  }

  async #findImages(comparison: UpstreamComparison): Promise<readonly ComparedImage[]> {
    const { settings, plan, lock, signatures: check } = this.#task;
    const { registries, makers } = this.#sources;
    const { reporter, signal } = this.#parts;
    const { verifySignatures: mode } = settings;
    const verification = check && new ImageVerification({ mode, check, registries, makers });
    const lookup = {
      registries,
      blobs: this.#blobs,
      platform: plan.platform,
      signal,
      comparison,
      verification,
    };
    const images = await lookUpImages(plan.images, lookup, lock?.images);
    for (const text of unsignedWarnings(images)) reporter.warning(text);
    // Behind a firewall they are unreachable. If one answers but is not trusted, the user has to fix that.
    for (const trouble of await makers.troubles()) {
      if (failureCode(trouble) === 'TLS_REFUSED') reporter.warning(describeFailure(trouble));
    }
    for (const { image } of images) {
      if (!image.namesArchitecture) continue;
      reporter.warning(
        `${formatReference(image.upstream)} was found only with the architecture in its name: ${formatReference(image.pulledBy)}`,
      );
    }
    return images;
  }

  /** Makes sure that there is room on the disk, and begins to count what will be fetched. */
  async #makeRoom(images: readonly ComparedImage[]): Promise<FetchProgress> {
    const { settings, plan, lock, folders } = this.#task;
    const { reporter, signal } = this.#parts;
    const wanted = {
      blobs: images.flatMap(({ image }) => blobsOf(image)),
      blobFiles: (digest: Parameters<BlobFiles>[0]) => this.#blobs.pathOf(digest),
      components: plan.components.map((component) => pinned(component, lock)),
      downloads: folders.downloads,
      mirror: settings.upstreamMirror,
    };
    const estimate = await estimateSpace(wanted, this.#sources.http, signal);
    await requireRoom(estimate, folders);
    const bytes = estimate.images + estimate.components;
    reporter.detail(`${formatSize(bytes)} to fetch, about ${formatSize(estimate.package)} for the package`);
    const total = plan.images.length + plan.components.length;
    return new FetchProgress(reporter, total, estimate.isWhole && bytes > 0 ? bytes : undefined);
  }

  async #fetchImages(
    images: readonly ComparedImage[],
    comparison: UpstreamComparison,
    progress: FetchProgress,
  ): Promise<readonly CheckedImage[]> {
    const { reporter, signal } = this.#parts;
    return await fetchImages(images, {
      registries: this.#sources.registries,
      blobs: this.#blobs,
      comparison,
      signal,
      onBytes: (image, count) => progress.moved(formatReference(image.upstream), count),
      onFetched: (checked) => {
        const name = formatReference(checked.image.upstream);
        progress.ended(name);
        const moved = progress.bytesOf(name);
        if (moved > 0) reporter.line(fetchedImageLine(checked, moved));
        else reporter.detail(`${name} is already fetched`);
      },
    });
  }

  async #fetchComponents(progress: FetchProgress): Promise<readonly FetchedComponent[]> {
    const { settings, plan, lock, folders } = this.#task;
    const { reporter, signal, keeper } = this.#parts;
    const plans = plan.components.map((component) => pinned(component, lock));
    const fetched = await fetchComponents(plans, {
      http: this.#sources.http,
      retry: settings.retry,
      sizeLimit: SIZE_LIMIT,
      mirror: settings.upstreamMirror,
      signal,
      folder: folders.downloads,
      concurrency: DOWNLOADS_AT_ONCE,
      cache: keeper && new ComponentCache(keeper, reporter),
      onWait: () => this.#wait(folders.downloads),
      onProgress: (name, done) => progress.reached(name, done),
      onRetry: (name, error) => reporter.detail(`${name}: retrying after ${String(error)}`),
      onFetched: (component) => {
        progress.ended(component.plan.name);
        if (component.from === 'network') reporter.line(fetchedComponentLine(component));
        else reporter.detail(`${component.plan.name} ${component.plan.tag} is already fetched`);
      },
    });
    return fetched.flatMap((component, index) => {
      const wanted = plan.components[index];
      return wanted === undefined ? [] : [asLocked(component, wanted, lock)];
    });
  }
}

/**
 * Finds all images, makes sure that there is room, and fetches images and components at the same time. Everything is
 * verified when it returns. Throws what failed, several failures together as `FETCH_FAILED`.
 */
export async function fetchAll(task: FetchTask, parts: FetchParts): Promise<Fetched> {
  using stack = new DisposableStack();
  const sources = await openSources(stack, task.settings, parts);
  parts.reporter.section(`Fetching the contents of ${task.plan.fileName}`);
  return await new Fetching(task, sources, parts).run();
}
