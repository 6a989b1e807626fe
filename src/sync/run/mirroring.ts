import { failureCode } from '../../lib/failure.ts';
import type { Reporter } from '../../lib/reporter.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { formatReference, type Repository, type Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { BlobBoard } from '../copy/blob-board.ts';
import { ImageCopier } from '../copy/image-copy.ts';
import type { RepositoryGroup } from '../plan/naming.ts';
import {
  type PlannedImage,
  type PlanningParts,
  planRepository,
  type RepositoryPlan,
  signaturesOf,
} from '../plan/planning.ts';
import type { ReportedImage } from '../report/report.ts';
import type { State } from '../state/state.ts';
import { collided, failed, type ImageNames, left, skipped, worked } from './image-outcome.ts';
import { RepositoryTally } from './repository-tally.ts';
import { Schedule } from './schedule.ts';

/** What mirroring works with. */
export interface MirroringParts extends PlanningParts {
  readonly state: State;
  readonly reporter: Reporter;
  readonly onResult: (result: ReportedImage) => void;
}

/** Plans destination repositories and mirrors what is planned, both at the same time. */
export class Mirroring {
  readonly #parts: MirroringParts;
  readonly #target: Registry;
  readonly #absent = new Set<Repository>();
  readonly #tallies = new Map<Repository, RepositoryTally>();
  readonly #plans = new Map<Repository, RepositoryPlan>();
  readonly #planned = new Map<Repository, Set<Tag>>();
  readonly #board: BlobBoard;
  readonly #copier: ImageCopier;
  readonly #schedule: Schedule<PlannedImage>;
  #bytes = 0;

  constructor(parts: MirroringParts) {
    const { state, signal, target } = parts;
    this.#parts = parts;
    this.#target = target;
    const wasAbsent = (repository: Repository): boolean => this.#absent.has(repository);
    this.#board = new BlobBoard({
      registry: target,
      wasAbsent,
      believedHolders: (digest) => state.blobHolders(target.host, digest),
      onBytes: (count) => {
        this.#bytes += count;
      },
      onUploaded: (repository, digest) => state.noteBlob({ host: target.host, repository }, digest),
      onMissing: (repository, digest) => state.forgetBlob({ host: target.host, repository }, digest),
    });
    const { dryRun: isDryRun, pushTimeout } = parts.settings;
    const { verification } = parts;
    const copying = { target, board: this.#board, wasAbsent, verification, pushTimeout, isDryRun, signal };
    this.#copier = new ImageCopier(copying);
    this.#schedule = new Schedule((image) => this.#mirror(image), signal);
  }

  /** Bytes sent so far, including what had to be sent again. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many planned images are not done yet. */
  get open(): number {
    return this.#schedule.open;
  }

  /** Images under way as `repository:tag`, the longest-running first. */
  get current(): string[] {
    return [...this.#schedule.underWay].map(({ target }) => `${target.repository}:${target.tag}`);
  }

  /** Mirrors all groups. What was not begun when the signal aborted is left for the next run. Returns the plans. */
  async run(groups: readonly RepositoryGroup[]): Promise<readonly RepositoryPlan[]> {
    await Promise.all(groups.map((group) => this.#plan(group)));
    const notBegun = await this.#schedule.finish();
    for (const image of notBegun) this.#parts.onResult(left(this.#names(image)));
    for (const tally of this.#tallies.values()) tally.flush();
    return [...this.#plans.values()];
  }

  async #plan(group: RepositoryGroup): Promise<void> {
    const { signal, onResult } = this.#parts;
    const { host } = this.#target;
    try {
      const plan = await planRepository(group, this.#parts);
      if (plan.listing.kind === 'absent') this.#absent.add(group.repository);
      this.#plans.set(group.repository, plan);
      for (const collision of plan.collisions) onResult(collided(this.#target, plan.repository, collision));
      this.#submit(plan, plan.images);
      for (const image of plan.images) {
        // The signatures of the others follow when those are there: without its image a signature is of no use.
        const isThere = image.decision.action === 'skip' && image.sourceDigest !== undefined;
        if (isThere) this.#submitSignatures(plan, image, [image.sourceDigest]);
      }
    } catch (error) {
      const destination = formatReference({ host, repository: group.repository });
      for (const { registry, repository } of group.members) {
        const names = { source: formatReference({ host: registry.host, repository }), destination };
        onResult(signal.aborted ? left(names) : failed(names, error, 0));
      }
    }
  }

  #submit(plan: RepositoryPlan, images: readonly PlannedImage[]): void {
    const known = this.#planned.get(plan.repository) ?? new Set();
    this.#planned.set(plan.repository, known);
    const fresh = images.filter(({ target }) => !known.has(target.tag));
    for (const { target } of fresh) known.add(target.tag);
    const active = fresh.filter(({ decision }) => decision.action !== 'skip');
    for (const image of fresh) {
      if (image.decision.action === 'skip') this.#parts.onResult(skipped(this.#names(image), image));
    }
    this.#tallyOf(plan.repository).expect(active.length);
    this.#schedule.add(active);
  }

  /** Plans the signatures of an image's parts that are not planned yet. */
  #submitSignatures(plan: RepositoryPlan, image: PlannedImage, digests: readonly Digest[]): void {
    const tags = signaturesOf(image, digests);
    this.#submit(
      plan,
      tags.map((tag) => plan.planTag(image, tag)),
    );
  }

  async #mirror(image: PlannedImage): Promise<void> {
    const { signal, onResult } = this.#parts;
    const began = performance.now();
    const names = this.#names(image);
    const { repository } = image.target;
    const tally = this.#tallyOf(repository);
    try {
      const result = await this.#copier.mirror(image);
      const plan = this.#plans.get(repository);
      if (plan !== undefined) this.#submitSignatures(plan, image, result.digests);
      tally.worked(image, result);
      onResult(worked(names, image, result, performance.now() - began));
    } catch (error) {
      if (signal.aborted) return onResult(left(names));
      tally.failed(image, failureCode(error));
      onResult(failed(names, error, performance.now() - began));
    }
  }

  #tallyOf(repository: Repository): RepositoryTally {
    const known = this.#tallies.get(repository);
    if (known !== undefined) return known;
    const tally = new RepositoryTally((news) => {
      this.#parts.state.record(
        { host: this.#target.host, repository },
        { ...news, blobs: this.#board.provedIn(repository) },
      );
    });
    this.#tallies.set(repository, tally);
    return tally;
  }

  #names(image: PlannedImage): ImageNames {
    const { registry, repository, tag } = image.source;
    return {
      source: registry.nameOf(repository, tag),
      destination: this.#target.nameOf(image.target.repository, image.target.tag),
    };
  }
}
