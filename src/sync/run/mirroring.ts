import { failureCode } from '../../lib/failure.ts';
import { BlobBoard } from '../../registry/blob/blob-board.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { formatReference, type Repository, type Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { ImageCopier } from '../copy/image-copy.ts';
import type { MirroredImage } from '../copy/mirrored-image.ts';
import { PartsSearch } from '../copy/missing-parts.ts';
import type { CopiedReferrers } from '../copy/referrer-copy.ts';
import { Transfer } from '../copy/transfer.ts';
import type { RepositoryGroup } from '../plan/naming.ts';
import {
  type PlannedImage,
  type PlanningParts,
  planRepository,
  type RepositoryPlan,
  signaturesOf,
} from '../plan/planning.ts';
import { sourceName } from '../plan/source-name.ts';
import { TooYoung } from '../plan/tag-maturity.ts';
import type { ReportedImage, ReportedMove } from '../report/report.ts';
import type { State } from '../state/state.ts';
import { attached, collided, failed, type ImageNames, left, skipped, worked } from './reported-image.ts';
import { RepositoryTally } from './repository-tally.ts';
import { Schedule } from './schedule.ts';

/** What mirroring needs. */
interface MirroringParts extends Omit<PlanningParts, 'remembered'> {
  readonly state: State;
  /** Called once for each wanted image, as soon as its result is known. */
  readonly onResult: (result: ReportedImage) => void;
}

/** A destination repository that is being mirrored to. */
interface OpenRepository {
  readonly plan: RepositoryPlan;
  readonly tally: RepositoryTally;
  /** Tags that are planned already. */
  readonly planned: Set<Tag>;
}

/** An image that is to be checked or copied. */
interface Turn {
  readonly image: PlannedImage;
  readonly into: OpenRepository;
  readonly rank: number;
  /** Undefined until its turn. */
  transfer?: Transfer | undefined;
}

/** An image that is being worked on. */
interface UnderWay extends ImageNames {
  /** Its progress, if there is any to show. */
  readonly note: string | undefined;
}

/** Plans destination repositories and mirrors their images at the same time. */
export class Mirroring {
  readonly #parts: PlanningParts & MirroringParts;
  readonly #target: Registry;
  readonly #repositories = new Map<Repository, OpenRepository>();
  readonly #board: BlobBoard;
  readonly #search: PartsSearch;
  readonly #copier: ImageCopier;
  readonly #schedule: Schedule<Turn>;
  #bytes = 0;
  #isPlanned = false;

  constructor(parts: MirroringParts) {
    const { state, signal, target, verification, maturity } = parts;
    const { host } = target;
    this.#parts = {
      ...parts,
      remembered: {
        images: (repository, tags) => state.imagesOf({ host, repository }, tags),
        holdsImages: (repository) => {
          const [any] = state.images({ host, repository });
          return any !== undefined;
        },
        failures: (repository) => state.failures({ host, repository }),
      },
    };
    this.#target = target;
    const wasAbsent = (repository: Repository): boolean =>
      this.#repositories.get(repository)?.plan.listing.kind === 'absent';
    this.#board = new BlobBoard({
      registry: target,
      wasAbsent,
      believedHolders: (digest) => state.blobHolders(host, digest),
      onBytes: (count) => {
        this.#bytes += count;
      },
      onUploaded: (repository, digest) => state.noteBlob({ host, repository }, digest),
      onMissing: (repository, digest) => state.forgetBlob({ host, repository }, digest),
    });
    const { dryRun: isDryRun, pushTimeout } = parts.settings;
    this.#search = new PartsSearch(target, signal);
    this.#copier = new ImageCopier({
      target,
      board: this.#board,
      search: this.#search,
      wasAbsent,
      verification,
      maturity,
      pushTimeout,
      isDryRun,
      signal,
    });
    this.#schedule = new Schedule((turn) => this.#mirror(turn), signal);
  }

  /** The bytes sent so far, including those that had to be sent again after a failure. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The number of planned images that are not finished. */
  get open(): number {
    return this.#schedule.open;
  }

  /** The names of tags below which something could not be checked, and why. */
  get unasked(): ReadonlyMap<string, unknown> {
    return this.#search.unasked;
  }

  /** The bytes to send in all, and whether there may be more, because not all manifests were read. */
  get bytesTotal(): { readonly bytesTotal: number; readonly isAtLeast: boolean } {
    const { underWay, open } = this.#schedule;
    const isRead = [...underWay].every(({ transfer }) => transfer?.isRead === true);
    const isAtLeast = !this.#isPlanned || open > underWay.size || !isRead;
    return { bytesTotal: this.#bytes + this.#board.pending, isAtLeast };
  }

  /** The images that are being worked on, the longest-running first. */
  get current(): readonly UnderWay[] {
    return [...this.#schedule.underWay].map(({ image, transfer }) => ({
      ...this.#names(image),
      note: transfer?.describe(),
    }));
  }

  /** Mirrors all groups until the signal aborts. Returns the plans of those that could be listed. */
  async run(groups: readonly RepositoryGroup[]): Promise<readonly RepositoryPlan[]> {
    await Promise.all(groups.map((group) => this.#plan(group)));
    this.#isPlanned = true;
    const notBegun = await this.#schedule.finish();
    await this.#board.settled();
    for (const { image } of notBegun) this.#parts.onResult(left(this.#names(image)));
    const repositories = [...this.#repositories.values()];
    for (const { tally } of repositories) tally.flush();
    return repositories.map(({ plan }) => plan);
  }

  async #plan(group: RepositoryGroup): Promise<void> {
    const { signal, onResult } = this.#parts;
    const { host } = this.#target;
    try {
      const plan = await planRepository(group, this.#parts);
      const whose = { repository: plan.repository, isGiven: this.#parts.settings.given !== undefined };
      const into = this.#open(plan);
      for (const collision of plan.collisions) onResult(collided(this.#target, whose, collision));
      this.#submit(into, plan.images);
      for (const image of plan.images) {
        // A signature is of no use without its image, so the signatures of other images are planned after these were
        // copied.
        const isThere = image.decision.action === 'skip' && image.sourceDigest !== undefined;
        if (isThere) this.#submitSignatures(into, image, [image.sourceDigest]);
      }
    } catch (error) {
      const destination = formatReference({ host, repository: group.repository });
      for (const { registry, repository } of group.members) {
        const names = { source: formatReference({ host: registry.host, repository }), destination };
        onResult(signal.aborted ? left(names) : failed(names, error, 0));
      }
    }
  }

  #open(plan: RepositoryPlan): OpenRepository {
    const { repository } = plan;
    const { host } = this.#target;
    const tally = new RepositoryTally((news) => {
      this.#parts.state.record({ host, repository }, { ...news, blobs: this.#board.provedIn(repository) });
    });
    const opened = { plan, tally, planned: new Set<Tag>() };
    this.#repositories.set(repository, opened);
    return opened;
  }

  #submit(into: OpenRepository, images: readonly PlannedImage[]): void {
    const { tally, planned } = into;
    const fresh = images.filter(({ target }) => !planned.has(target.tag));
    for (const { target } of fresh) planned.add(target.tag);
    const active = fresh.filter(({ decision }) => decision.action !== 'skip');
    for (const image of fresh) {
      if (image.decision.action === 'skip') this.#parts.onResult(skipped(this.#names(image), image));
    }
    tally.expect(active.length);
    this.#schedule.add(active.map((image) => ({ image, into, rank: image.rank })));
  }

  /** Plans the signatures of some digests of an image, unless they are planned already. */
  #submitSignatures(into: OpenRepository, image: PlannedImage, digests: readonly Digest[]): void {
    const tags = signaturesOf(image, digests);
    this.#submit(
      into,
      tags.map((tag) => into.plan.planTag(image, tag)),
    );
  }

  async #mirror(turn: Turn): Promise<void> {
    const { image, into } = turn;
    const { signal, onResult } = this.#parts;
    const began = performance.now();
    const transfer = new Transfer(() => performance.now());
    turn.transfer = transfer;
    const names = this.#names(image);
    let moved: ReportedMove | undefined;
    try {
      const onMoved = (move: ReportedMove): void => {
        moved = move;
      };
      const result = await this.#copier.mirror(image, onMoved, transfer);
      const took = performance.now() - began;
      const referrers = await this.#copyReferrers(image, into, result);
      // Signatures may be signed too, by tags and by the API.
      const signed = [...result.digests, ...(referrers ?? []).flatMap((each) => each.referrers)];
      this.#submitSignatures(into, image, signed);
      const hasReferrers = referrers?.every(({ error }) => error === undefined);
      into.tally.worked(image, { ...result, hasReferrers });
      onResult({ ...worked(names, image, result, took), moved });
    } catch (error) {
      if (signal.aborted) return onResult(left(names));
      if (error instanceof TooYoung) into.tally.waits();
      else into.tally.failed(image, failureCode(error));
      onResult({ ...failed(names, error, performance.now() - began), moved });
    }
  }

  /**
   * Copies signatures from the referrers API, and reports them. Returns them; undefined if they were not to be copied.
   */
  async #copyReferrers(
    image: PlannedImage,
    into: OpenRepository,
    result: MirroredImage,
  ): Promise<readonly CopiedReferrers[] | undefined> {
    const began = performance.now();
    const all = await this.#copier.copyReferrers(image, result).catch((error: unknown) => {
      // The image itself is there. The next run asks again.
      if (this.#parts.signal.aborted) return undefined;
      throw error;
    });
    for (const { tag, copied, error } of all ?? []) {
      // If there is a tag that stands for the API, it contains all of them.
      if (into.planned.has(tag)) continue;
      into.planned.add(tag);
      const names = this.#names({
        source: { ...image.source, tag },
        target: { ...image.target, tag },
      });
      const took = performance.now() - began;
      if (error !== undefined) this.#parts.onResult(failed(names, error, took));
      else if (copied !== undefined) this.#parts.onResult(attached(names, copied, took));
    }
    return all;
  }

  #names(image: Pick<PlannedImage, 'source' | 'target' | 'pin'>): ImageNames {
    return {
      source: sourceName(image),
      destination: this.#target.nameOf(image.target.repository, image.target.tag),
    };
  }
}
