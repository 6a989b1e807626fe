import type { Tag } from '../../registry/oci/reference.ts';
import type { MirroredImage } from '../copy/image-copy.ts';
import { contentOptions, signedUnder } from '../plan/content-options.ts';
import type { PlannedImage } from '../plan/planning.ts';
import type { SeenImage } from '../state/image-rows.ts';
import type { RepositoryNews } from '../state/state.ts';

/** So much of a large repository is written at a time: what a kill costs is asked for again by the next run. */
const ENTRIES_PER_TRANSACTION = 100;

/** What a run learns about one destination repository, written to the state when it is complete or has grown. */
export class RepositoryTally {
  readonly #write: (news: RepositoryNews) => void;
  #images: SeenImage[] = [];
  #confirmed: Tag[] = [];
  #failures: { tag: Tag; code: string }[] = [];
  #open = 0;

  /** `write` records the news in one transaction, together with what is known of blobs by then. */
  constructor(write: (news: RepositoryNews) => void) {
    this.#write = write;
  }

  /** Says that so many images more will be told about. */
  expect(count: number): void {
    this.#open += count;
  }

  worked(image: PlannedImage, result: MirroredImage): void {
    const { recorded, target } = image;
    const isKnown =
      recorded?.sourceDigest === result.sourceDigest && recorded.pushedDigest === result.pushedDigest;
    const options = optionsOf(image, result);
    if (result.outcome !== 'copied' && isKnown && recorded.options === options) {
      this.#confirmed.push(target.tag);
    } else this.#images.push(seen(image, result));
    this.#ended();
  }

  failed(image: PlannedImage, code: string): void {
    this.#failures.push({ tag: image.target.tag, code });
    this.#ended();
  }

  /** Writes what has not been written yet. */
  flush(): void {
    const news = { images: this.#images, confirmed: this.#confirmed, failures: this.#failures };
    this.#images = [];
    this.#confirmed = [];
    this.#failures = [];
    if (news.images.length + news.confirmed.length + news.failures.length > 0) this.#write(news);
  }

  #ended(): void {
    this.#open -= 1;
    const entries = this.#images.length + this.#confirmed.length + this.#failures.length;
    if (this.#open === 0 || entries >= ENTRIES_PER_TRANSACTION) this.flush();
  }
}

/** What was verified once stays so as long as nobody finds otherwise and the image is the same. */
function optionsOf({ platforms, recorded }: PlannedImage, result: MirroredImage): string {
  const { signature, sourceDigest, conversion } = result;
  const before = recorded?.sourceDigest === sourceDigest ? signedUnder(recorded.options) : undefined;
  const signed =
    signature?.kind === 'verified' ? signature.policy : signature === undefined ? before : undefined;
  return contentOptions(platforms, conversion, signed);
}

function seen(image: PlannedImage, result: MirroredImage): SeenImage {
  const { registry, repository, tag } = image.source;
  return {
    tag: image.target.tag,
    source: { host: registry.host, repository, tag },
    sourceDigest: result.sourceDigest,
    pushedDigest: result.pushedDigest,
    options: optionsOf(image, result),
    bytes: result.outcome === 'copied' ? result.size : (image.recorded?.bytes ?? 0),
  };
}
