import type { Tag } from '../../registry/oci/reference.ts';
import type { MirroredImage } from '../copy/mirrored-image.ts';
import type { PlannedImage } from '../plan/planning.ts';
import { contentOptions, hasReferrersIn, signedUnder } from '../plan/recorded-options.ts';
import type { SeenImage } from '../state/image-rows.ts';
import type { RepositoryNews } from '../state/state.ts';

/** If the run is killed, at most this many entries are lost, and the next run checks them again. */
const ENTRIES_PER_TRANSACTION = 100;

/** Collects what a run learns about one destination repository and writes it to the state in parts. */
export class RepositoryTally {
  readonly #write: (news: RepositoryNews) => void;
  #images: SeenImage[] = [];
  #confirmed: Tag[] = [];
  #failures: { tag: Tag; code: string }[] = [];
  #open = 0;

  /** `write` records the news in one transaction. */
  constructor(write: (news: RepositoryNews) => void) {
    this.#write = write;
  }

  /** Announces more images. */
  expect(count: number): void {
    this.#open += count;
  }

  /**
   * Adds the result of an image that was checked or copied, and whether its referrers were copied, if they were
   * requested.
   */
  worked(image: PlannedImage, result: TalliedImage): void {
    const { recorded, target } = image;
    const isKnown =
      recorded?.sourceDigest === result.sourceDigest && recorded.pushedDigest === result.pushedDigest;
    const options = optionsOf(image, result);
    if (result.outcome !== 'copied' && isKnown && recorded.options === options) {
      this.#confirmed.push(target.tag);
    } else this.#images.push(seen(image, result));
    this.#ended();
  }

  /** Adds the code of the failure of an image. */
  failed(image: PlannedImage, code: string): void {
    this.#failures.push({ tag: image.target.tag, code });
    this.#ended();
  }

  /** Notes that nothing was done about an image, which the next run looks at again. */
  waits(): void {
    this.#ended();
  }

  /** Writes all entries that are not written yet. */
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

type TalliedImage = MirroredImage & { readonly hasReferrers?: boolean | undefined };

/** A verification stays valid for the same image until another one fails. */
function optionsOf({ platforms, recorded }: PlannedImage, result: TalliedImage): string {
  const { signature, sourceDigest, conversion, layersLeftOut, others } = result;
  const known = recorded?.sourceDigest === sourceDigest ? recorded.options : '';
  const before = signedUnder(known);
  const hasReferrers = result.hasReferrers ?? hasReferrersIn(known);
  const signed =
    signature?.kind === 'verified' ? signature.policy : signature === undefined ? before : undefined;
  return contentOptions(platforms, { conversion, signed, layersLeftOut, others, hasReferrers });
}

function seen(image: PlannedImage, result: TalliedImage): SeenImage {
  const { registry, repository, tag } = image.source;
  const known = image.recorded?.pushedDigest === result.pushedDigest ? image.recorded : undefined;
  const isCopied = result.outcome === 'copied';
  return {
    tag: image.target.tag,
    source: { host: registry.host, repository, tag },
    sourceDigest: result.sourceDigest,
    pushedDigest: result.pushedDigest,
    options: optionsOf(image, result),
    bytes: (isCopied ? result.size : undefined) ?? known?.bytes ?? 0,
    pushed: isCopied ? undefined : (known?.pushed ?? 'unknown'),
  };
}
