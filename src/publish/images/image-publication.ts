import { stat } from 'node:fs/promises';
import { destinationRepository, type Naming } from '../../config/mirror-naming.ts';
import { describeFailure, Failure, failureCode } from '../../lib/failure.ts';
import { explainFileError } from '../../lib/file-error.ts';
import type { Reporter } from '../../lib/reporter.ts';
import { countOf, joinWords } from '../../lib/text/sentence.ts';
import { formatSize } from '../../lib/text/size.ts';
import { BlobBoard } from '../../registry/blob/blob-board.ts';
import { howToLogIn } from '../../registry/missing-login.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { formatReference, type Host, type Repository } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { isUnauthorized } from '../../registry/registry-failure.ts';
import { shellWord } from '../contract/download-command.ts';
import { distinctBlobs, ImagePush, type ImageToPush, type PushedImage } from './image-push.ts';
import { PackageArchive } from './package-archive.ts';
import { noPackage, type PackageFiles } from './package-files.ts';
import { PackageFolder } from './package-folder.ts';
import { type PackagedImage, type PackagedImages, readPackagedImages } from './packaged-images.ts';

/** The registry that gets the images of a package, and how it names them. */
export interface ImagesDestination {
  readonly host: Host;
  readonly namespace: Repository | undefined;
  readonly naming: Naming;
}

/** The results for the images of a package. */
interface PublishedImages {
  readonly kubernetes: string | undefined;
  readonly arch: string | undefined;
  readonly images: readonly PublishedImage[];
  readonly failures: readonly { readonly name: string; readonly error: unknown }[];
}

interface PublishedImage extends Omit<PushedImage, 'outcome'> {
  readonly name: string;
  readonly target: string;
  readonly digest: Digest;
  readonly outcome: PushedImage['outcome'] | 'planned';
}

interface ImagePublicationParts {
  /** Returns the registry; called only if the run sends a request to it. */
  readonly registry: () => Registry;
  readonly destination: ImagesDestination;
  readonly overwrite: boolean;
  readonly dryRun: boolean;
  readonly reporter: Reporter;
  /** Returns the name of a flag as users write it. */
  readonly label: (flag: 'username' | 'password-stdin') => string;
  readonly signal: AbortSignal;
}

/** Returns the files of a package, given by the path of its tar.gz or of the folder that it was unpacked into. */
async function openPackage(path: string, { reporter, signal }: ImagePublicationParts): Promise<PackageFiles> {
  const found = await stat(path).catch((cause: unknown) => {
    const hint = 'set --pkg-uri to the path of a package, or of the folder that it was unpacked into';
    throw noPackage(path, explainFileError(cause), hint, cause);
  });
  if (found.isDirectory()) return new PackageFolder(path);
  if (!found.isFile()) throw noPackage(path, 'it is not a file', 'set --pkg-uri to the path of a package');
  let files = 0;
  return await PackageArchive.read(path, signal, (current) => {
    files += 1;
    const progress = { activity: 'checking', unit: 'files', bytes: 0, current: [current] };
    reporter.progress({ ...progress, done: files, total: files });
  });
}

/**
 * Pushes the images of a package to a registry under the names that `synctl sync` would use. One that fails does not
 * stop the others. Returns the result of each. Throws `PACKAGE_UNREADABLE`, `PACKAGE_DAMAGED`, or the reason why the
 * registry cannot be used at all.
 */
export async function publishImages(path: string, parts: ImagePublicationParts): Promise<PublishedImages> {
  const { reporter, destination } = parts;
  using files = await openPackage(path, parts);
  const packaged = await readPackagedImages(files, parts.signal);
  const { host, namespace } = destination;
  const place = namespace === undefined ? host : `${host}/${namespace}`;
  reporter.section(`Pushing the images of ${path} to ${place}`);
  const { images, failures } = namedFor(destination, packaged);
  for (const { name, error } of failures) reporter.error(`${name}: ${describeFailure(error)}`);
  const done = parts.dryRun
    ? { images: images.map(planned), failures: [] }
    : await new Publishing(files, images, parts).run();
  if (parts.dryRun) for (const { name, target } of done.images) reporter.line(`${name} → ${target}`);
  reporter.close();
  const { kubernetes, arch } = packaged;
  return { kubernetes, arch, images: done.images, failures: [...failures, ...done.failures] };
}

function planned({ name, target, manifest }: ImageToPush): PublishedImage {
  const names = { name: formatReference(name), target: formatReference(target), digest: manifest.digest };
  return { ...names, outcome: 'planned', bytesSent: 0, beside: [] };
}

/** Returns each image with its name at the registry, and those that cannot have one. */
function namedFor(
  { host, namespace, naming }: ImagesDestination,
  packaged: PackagedImages,
): { readonly images: readonly ImageToPush[]; readonly failures: PublishedImages['failures'] } {
  const failures: { name: string; error: unknown }[] = [...packaged.damaged];
  const byTarget = new Map<string, ImageToPush[]>();
  for (const image of packaged.images) {
    try {
      const target = targetOf(image, { host, namespace, naming });
      byTarget.set(formatReference(target), [
        ...(byTarget.get(formatReference(target)) ?? []),
        { ...image, target },
      ]);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures.push({ name: formatReference(image.name), error });
    }
  }
  const images: ImageToPush[] = [];
  for (const [target, claimants] of byTarget) {
    const [first] = claimants;
    if (first !== undefined && claimants.every(({ manifest }) => manifest.digest === first.manifest.digest)) {
      images.push(first);
      continue;
    }
    const names = claimants.map(({ name }) => formatReference(name));
    for (const name of names) failures.push({ name, error: nameTaken(target, names) });
  }
  return { images, failures };
}

function targetOf(
  { name }: PackagedImage,
  { host, namespace, naming }: ImagesDestination,
): ImageToPush['target'] {
  const repository = destinationRepository({ naming, namespace }, name, { host });
  return { host, repository, tag: name.tag };
}

function nameTaken(target: string, names: readonly string[]): Failure<'IMAGE_NAME_TAKEN'> {
  return new Failure({
    code: 'IMAGE_NAME_TAKEN',
    about: target,
    message: `${joinWords(names)} would all get this name`,
    hint: 'set --naming dashed or --naming path, which keep the paths of images distinct',
  });
}

/** Pushes the images of one package. */
class Publishing {
  readonly #images: readonly ImageToPush[];
  readonly #parts: ImagePublicationParts;
  readonly #registry: Registry;
  readonly #push: ImagePush;
  readonly #bytesTotal: number;
  #bytes = 0;
  readonly #left: Set<string>;

  constructor(files: PackageFiles, images: readonly ImageToPush[], parts: ImagePublicationParts) {
    const { overwrite, signal } = parts;
    this.#images = images;
    this.#parts = parts;
    this.#registry = parts.registry();
    const board = new BlobBoard({
      registry: this.#registry,
      wasAbsent: () => false,
      believedHolders: (digest) => this.#push.holdersOf(digest),
      onBytes: (count) => this.#tell(count),
      onUploaded: () => undefined,
      onMissing: () => undefined,
    });
    this.#push = new ImagePush({ files, registry: this.#registry, board, overwrite, signal });
    this.#left = new Set(images.map(({ name }) => formatReference(name)));
    const blobs = new Map(
      images.flatMap(({ manifest }) => distinctBlobs(manifest)).map((blob) => [blob.digest, blob.size]),
    );
    this.#bytesTotal = [...blobs.values()].reduce((sum, size) => sum + size, 0);
  }

  async run(): Promise<Pick<PublishedImages, 'images' | 'failures'>> {
    await this.#logIn();
    const images: PublishedImage[] = [];
    const failures: { name: string; error: unknown }[] = [];
    const attempt = async <Result>(
      image: ImageToPush,
      work: () => Promise<Result>,
    ): Promise<Result | undefined> => {
      const name = formatReference(image.name);
      try {
        return await work();
      } catch (error) {
        this.#parts.signal.throwIfAborted();
        failures.push({ name, error });
        this.#left.delete(name);
        this.#parts.reporter.error(`${name}: ${describeFailure(error)}`);
        return undefined;
      }
    };
    const planned = await Promise.all(
      this.#images.map(async (image) => ({
        image,
        work: await attempt(image, () => this.#push.plan(image)),
      })),
    );
    const works = planned.flatMap(({ image, work }) => (work === undefined ? [] : [{ image, work }]));
    await this.#push.begin(works);
    await Promise.all(
      works.map(async ({ image, work }) => {
        const pushed = await attempt(image, () => this.#push.carryOut(image, work));
        if (pushed === undefined) return;
        const names = { name: formatReference(image.name), target: formatReference(image.target) };
        images.push({ ...names, digest: image.manifest.digest, ...pushed });
        this.#left.delete(names.name);
        if (pushed.outcome === 'pushed') this.#parts.reporter.line(describePush(names, pushed));
        this.#tell(0);
      }),
    );
    return { images, failures };
  }

  /** Ends the run with one sentence if the login is missing or wrong, instead of one for each image. */
  async #logIn(): Promise<void> {
    const [first] = this.#images;
    if (first === undefined) return;
    const { signal, label } = this.#parts;
    const { repository } = first.target;
    try {
      await this.#registry.retrying(signal, () => this.#registry.logIn(repository));
    } catch (error) {
      const { username } = isUnauthorized(error)
        ? await this.#registry.aboutLogin(repository)
        : { username: '' };
      if (username !== undefined || failureCode(error) !== 'UNAUTHORIZED') throw error;
      const flags = `${label('username')} and ${label('password-stdin')}`;
      throw await this.#registry.missingLogin(`set ${flags}, or ${howToLogIn(this.#registry.host)}`);
    }
  }

  #tell(count: number): void {
    this.#bytes += count;
    const total = this.#images.length;
    this.#parts.reporter.progress({
      activity: 'pushing',
      done: total - this.#left.size,
      total,
      unit: 'images',
      bytes: this.#bytes,
      bytesTotal: this.#bytesTotal,
      current: [...this.#left],
    });
  }
}

function describePush(
  { name, target }: Pick<PublishedImage, 'name' | 'target'>,
  { bytesSent, beside }: PushedImage,
): string {
  const sent = bytesSent === 0 ? 'its layers already existed' : formatSize(bytesSent);
  const others = beside.length === 0 ? '' : `, added to the existing ${joinWords(beside)}`;
  return `${name} → ${target} (${sent}${others})`;
}

/** Returns the last sentence of a run: how many images were pushed, were unchanged or failed. */
export function imagesHeadline({ images, failures }: PublishedImages): string {
  const of = (outcome: PublishedImage['outcome']): readonly PublishedImage[] =>
    images.filter((image) => image.outcome === outcome);
  const sent = of('pushed').reduce((sum, { bytesSent }) => sum + bytesSent, 0);
  const parts = [
    ...(of('planned').length === 0 ? [] : [`${of('planned').length} would be pushed`]),
    ...(of('pushed').length === 0 ? [] : [`${of('pushed').length} pushed (${formatSize(sent)})`]),
    ...(of('present').length === 0 ? [] : [`${of('present').length} unchanged`]),
    ...(failures.length === 0 ? [] : [`${failures.length} failed`]),
  ];
  return `${countOf(images.length + failures.length, 'image')}: ${parts.join(', ') || 'none to push'}`;
}

/**
 * Returns the command that prints how machines use the images; undefined if the package does not name its Kubernetes.
 */
export function nodesCommand(
  { kubernetes, arch }: Pick<PublishedImages, 'kubernetes' | 'arch'>,
  { host, namespace, naming }: ImagesDestination,
  caFile: string | undefined,
): string | undefined {
  if (kubernetes === undefined || arch === undefined) return undefined;
  const other = naming === 'basename' ? '' : ` --naming ${naming}`;
  const trust = caFile === undefined ? '' : ` --ca-file ${shellWord(caFile)}`;
  return `synctl check --kubernetes ${kubernetes} --arch ${arch} --push-to ${host} --push-ns ${namespace ?? '/'}${other}${trust}`;
}
