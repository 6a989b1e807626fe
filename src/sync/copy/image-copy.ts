import type { Duration } from '../../lib/duration.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import { SingleFlight } from '../../lib/single-flight.ts';
import type { BlobBoard } from '../../registry/blob/blob-board.ts';
import { abbreviateDigest, type Digest, digestAlgorithm } from '../../registry/oci/digest.ts';
import { hasDigest, type Manifest, type ToldManifest } from '../../registry/oci/manifest.ts';
import { mayBeIndexType } from '../../registry/oci/media-type.ts';
import type { Repository, Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { isRefusedQuestion } from '../../registry/registry-failure.ts';
import { getTaggedManifest } from '../../registry/tagged-manifest.ts';
import type { PlannedImage } from '../plan/planning.ts';
import type { Conversion } from '../plan/recorded-options.ts';
import { sourceName } from '../plan/source-name.ts';
import type { SourceVerification } from '../plan/source-verification.ts';
import type { TagMaturity } from '../plan/tag-maturity.ts';
import type { ReportedMove } from '../report/report.ts';
import { isReferrersTag, isSignatureTag } from '../select/signature-tag.ts';
import { confirm, knownLeftOut } from './confirmation.ts';
import { conversionFor, formImage, type RefusedFormat } from './format.ts';
import { requireReasonable } from './index-limits.ts';
import type { MirroredImage } from './mirrored-image.ts';
import { type PartsBelow, type PartsSearch, requireRepair } from './missing-parts.ts';
import { getPinnedManifest, pinnedRefusal } from './pinned-manifest.ts';
import { choosePlatforms } from './platform-choice.ts';
import { PushClock } from './push-clock.ts';
import { type CopiedReferrers, ReferrerCopier } from './referrer-copy.ts';
import { findUnion } from './signature-union.ts';
import { keeps, keptFailure, MoveSearch } from './tag-move.ts';
import type { Transfer } from './transfer.ts';
import { type PushedTree, type PushTask, RefusedManifest, type Tally, TreePush } from './tree-push.ts';

/** What copying needs. */
interface CopyParts {
  readonly target: Registry;
  readonly board: BlobBoard;
  readonly search: PartsSearch;
  /** Returns whether a repository did not exist when the run began. */
  readonly wasAbsent: (repository: Repository) => boolean;
  /** Verifies signatures; undefined if that is off. */
  readonly verification: SourceVerification | undefined;
  /** Decides which tags are old enough. */
  readonly maturity: TagMaturity;
  /** For the transfers of one image. 0 means no limit. */
  readonly pushTimeout: Duration;
  /** Whether to send nothing. */
  readonly isDryRun: boolean;
  /** Of the run. */
  readonly signal: AbortSignal;
}

/** Real manifests have a few kilobytes, those of a malicious registry up to 4 MiB each. */
const MANIFESTS_KEPT = {
  results: 2000,
  weight: 32 * 1024 * 1024,
  weigh: ({ bytes }: Manifest): number => bytes.length,
};

/** Copies images to one registry. Images share what they have in common. */
export class ImageCopier {
  readonly #parts: CopyParts;
  readonly #target: Registry;
  readonly #tree: TreePush;
  readonly #referrers: ReferrerCopier;
  readonly #moves: MoveSearch;
  readonly #signal: AbortSignal;
  readonly #fetched = new SingleFlight<string, Manifest>(MANIFESTS_KEPT);
  /** Formats that the destination refused in this run before it accepted the same image in another one. */
  readonly #refused = new Set<RefusedFormat>();

  constructor(parts: CopyParts) {
    const { target, board, wasAbsent, verification, signal } = parts;
    this.#parts = parts;
    this.#target = target;
    this.#tree = new TreePush({
      target,
      board,
      wasAbsent,
      fetch: (source, name) => this.#fetch(source, name),
    });
    this.#referrers = new ReferrerCopier({ target, tree: this.#tree, isDryRun: parts.isDryRun, signal });
    this.#moves = new MoveSearch({
      target,
      verification,
      fetchImage: (source, digest) => this.#fetchImage(source, digest),
      fetch: (place, digest) => this.#fetch(place, digest),
      signal,
    });
    this.#signal = signal;
  }

  /**
   * Carries out the decision about an image: asks the destination for it if that was decided, and copies it unless it
   * is there. Returns the result. Throws the reason why it could not be mirrored. In either case, it first calls
   * `onMoved` if the tag moved but should not have.
   */
  async mirror(
    image: PlannedImage,
    onMoved: (move: ReportedMove) => void = () => undefined,
    transfer?: Transfer,
  ): Promise<MirroredImage> {
    const { verification, pushTimeout } = this.#parts;
    const about = this.#target.nameOf(image.target.repository, image.target.tag);
    const asked = image.decision.action === 'check' ? await this.#ask(image) : undefined;
    let sourceDigest = asked?.sourceDigest ?? image.sourceDigest;
    // Signatures and ages belong to a digest. From here on, the tag is not used any more, because it may move in the
    // meantime.
    if (verification !== undefined || image.minimumAge > 0 || this.#moves.watches(image))
      sourceDigest ??= await this.#findSource(image);
    const move = sourceDigest && (await this.#moves.find(image, sourceDigest, asked?.known));
    const there = asked?.missing.length === 0 ? asked.confirmed : undefined;
    const isDue = there === undefined || verification?.isDue(image, sourceDigest) === true;
    // If the destination has the image already, this run does not judge its age: it was accepted before.
    const tooYoung =
      sourceDigest !== undefined && asked?.confirmed === undefined
        ? this.#parts.maturity.judge(image, sourceDigest)
        : undefined;
    const verdict =
      sourceDigest && ((isDue && tooYoung === undefined) || move !== undefined)
        ? await verification?.judge(image, sourceDigest)
        : undefined;
    if (sourceDigest !== undefined && move !== undefined) {
      // If the destination has the image already, it was accepted before.
      const isKept = keeps(image, move) && asked?.confirmed === undefined;
      const told = await this.#moves.describe(image, move, { digest: sourceDigest, verdict, isKept });
      if (told !== undefined) onMoved(told);
      const { source } = image;
      if (isKept) throw keptFailure(source.registry.nameOf(source.repository, source.tag), move);
    }
    if (tooYoung !== undefined) throw tooYoung;
    const signature = isDue ? verification?.accept(verdict) : undefined;
    if (there !== undefined) {
      const digests = await this.#signedParts(image, there.sourceDigest);
      return { ...there, outcome: 'unchanged', signature, digests };
    }
    using clock = new PushClock(pushTimeout, about, this.#signal);
    const copied = await this.#copy({ ...image, sourceDigest }, asked?.present, { clock, transfer });
    return { ...copied, signature };
  }

  /** Asks both sides for an image. Returns the facts about it if it is there, and what is missing below its tag. */
  async #ask(image: PlannedImage) {
    const [told, sourceDigest] = await Promise.all([this.#findPresent(image), this.#findSource(image)]);
    const present = told?.digest;
    const known = await this.#inAlgorithmOf(image, sourceDigest, present);
    const confirmed = known === undefined ? undefined : confirm(image, sourceDigest, known);
    const { missing, elsewhere } = await this.#lookBelow(image, confirmed === undefined ? undefined : told);
    const layersLeftOut = elsewhere ?? confirmed?.layersLeftOut ?? 0;
    return {
      sourceDigest,
      present,
      known,
      confirmed: confirmed && { ...confirmed, layersLeftOut },
      missing,
    };
  }

  /**
   * Copies the signatures of an image, of all that its index lists, and of these signatures, if the referrers API of
   * the source lists them. Returns the results; undefined if they were not to be copied.
   */
  async copyReferrers(
    image: PlannedImage,
    { outcome, sourceDigest, digests }: MirroredImage,
  ): Promise<readonly CopiedReferrers[] | undefined> {
    const { source, target, recorded, referrers } = image;
    const isChanged = outcome === 'copied' || recorded?.sourceDigest !== sourceDigest;
    if (referrers === 'skip' || (referrers === 'if-copied' && !isChanged)) return undefined;
    using clock = new PushClock(
      this.#parts.pushTimeout,
      this.#target.nameOf(target.repository, target.tag),
      this.#signal,
    );
    const own = await this.#referrers.copy(image, [sourceDigest], clock);
    if (!this.#referrers.mayOffer(source.registry)) return [];
    const listed = digests.length > 1 ? digests : await this.#listedIn(image, sourceDigest);
    const others = listed.filter((digest) => digest !== sourceDigest);
    return [...own, ...(await this.#referrers.copy(image, others, clock))];
  }

  /**
   * Copies one image: first the blobs, then the manifests that an index lists, then the index, and last the tag, so
   * that no tag ever points to an incomplete image. If the destination refuses a format, the image is converted.
   */
  async #copy(
    image: PlannedImage,
    present: Digest | undefined,
    { clock, transfer }: Pick<PushTask, 'clock' | 'transfer'>,
  ): Promise<MirroredImage> {
    const { source, pin } = image;
    const about = sourceName(image);
    const original = await this.#fetchImage(source, image.sourceDigest, pin);
    const union = await findUnion(this.#target, image, { original, present }, this.#signal);
    if (union?.kind === 'complete' || union?.kind === 'apart') {
      const others = union.kind === 'apart' ? 'instead' : 'beside';
      const found = { sourceDigest: original.digest, pushedDigest: union.there, digests: [original.digest] };
      return { ...found, outcome: 'unchanged', conversion: undefined, layersLeftOut: 0, others };
    }
    const joined = union?.kind === 'joined' ? union : undefined;
    const choice = {
      platforms: image.platforms,
      about,
      fetch: (digest: Digest) => this.#fetch(source, digest),
    };
    const { manifest: chosen, parts } =
      joined === undefined
        ? await choosePlatforms(original, choice)
        : { manifest: joined.manifest, parts: new Map<Digest, Manifest>() };
    const fetchPart = async (digest: Digest) => parts.get(digest) ?? (await this.#fetch(source, digest));
    if (chosen.kind === 'index') requireReasonable(chosen, 0, new Set(), about);
    const digests = new Set([original.digest]);
    const tally: Tally = { bytesSent: 0, uploaded: 0, mounted: 0, present: 0, digests };
    const refused = new Set(pin === undefined ? this.#refused : []);
    const certain = new Set<RefusedFormat>();
    const tried = new Set<Conversion | undefined>();
    let refusal: unknown;
    for (;;) {
      const conversion = conversionFor(chosen, refused);
      tried.add(conversion);
      const forming = formImage(chosen, conversion, fetchPart, about);
      const form = await forming.catch((error: unknown) => {
        // The registry did not name the format as the reason, so its own message is more useful.
        throw failureCode(refusal) === 'MANIFEST_REFUSED' ? refusal : error;
      });
      try {
        const isRight = present !== undefined && hasDigest(form.manifest, present);
        const right = isRight ? { ...form.manifest, digest: present } : undefined;
        const { missing, elsewhere } = await this.#lookBelow(image, right);
        const pushed =
          isRight && missing.length === 0
            ? undefined
            : await this.#push(
                {
                  ...image,
                  form: { ...form, parts: new Map([...parts, ...form.parts]), theirs: joined?.theirs },
                  clock,
                  tally,
                  transfer,
                  missing,
                },
                image,
              );
        if (missing.length > 0 && !this.#parts.isDryRun)
          await requireRepair(this.#target, image, form.manifest.digest, missing, this.#signal);
        for (const format of certain) this.#refused.add(format);
        const facts = {
          sourceDigest: original.digest,
          pushedDigest: form.manifest.digest,
          conversion: form.conversion,
          layersLeftOut: pushed?.layersLeftOut ?? elsewhere ?? knownLeftOut(image, original.digest),
          others: joined === undefined ? undefined : ('beside' as const),
          digests: [...digests],
        };
        if (pushed === undefined) return { ...facts, outcome: 'unchanged' };
        const { size } = pushed;
        const { bytesSent, uploaded, mounted, present: found } = tally;
        const blobs = { uploaded, mounted, present: found };
        const replaced = image.decision.action === 'check' ? (present ?? 'nothing') : undefined;
        return { ...facts, outcome: 'copied', size, bytesSent, blobs, replaced, missing };
      } catch (error) {
        if (!(error instanceof RefusedManifest)) throw error;
        if (pin !== undefined) throw pinnedRefusal(error.refusal);
        refusal ??= error.refusal;
        refused.add(error.format);
        if (failureCode(error.refusal) === 'FORMAT_REFUSED') certain.add(error.format);
        if (tried.has(conversionFor(chosen, refused))) throw refusal;
      }
    }
  }

  /** Returns what is at the destination then; undefined if the tag is right already. */
  async #push(task: PushTask, image: PlannedImage): Promise<PushedTree | undefined> {
    const wanted = task.form.manifest.digest;
    if (this.#parts.isDryRun) return { size: 0, layersLeftOut: 0 };
    try {
      return await this.#tree.push(task);
    } catch (error) {
      if (failureCode(error) !== 'TAG_IMMUTABLE') throw error;
      await this.#acceptFrozenTag(task, wanted, error);
      if (task.missing.length === 0) return undefined;
      const { sourceDigest = wanted } = image;
      return { size: undefined, layersLeftOut: knownLeftOut(image, sourceDigest) };
    }
  }

  /** Accepts that a tag cannot be changed if it has the right image already. */
  async #acceptFrozenTag({ target, form }: PushTask, wanted: Digest, refusal: unknown): Promise<void> {
    const { repository, tag } = target;
    const there = (await this.#target.findManifest(repository, tag, this.#signal))?.digest;
    if (there === undefined) throw refusal;
    if (hasDigest(form.manifest, there)) return;
    throw new Failure({
      code: 'TAG_IMMUTABLE',
      about: this.#target.nameOf(repository, tag),
      message: `the destination does not allow changes of this tag; it has ${abbreviateDigest(there)} there, and the source has ${abbreviateDigest(wanted)}`,
      hint: refusal instanceof Failure ? refusal.hint : undefined,
      cause: refusal,
    });
  }

  /**
   * Returns what is missing below a tag that is right at the destination: nothing if only the tag is checked. If all
   * parts are checked, it also returns how many foreign layers are not there.
   */
  async #lookBelow(
    { target, extent }: PlannedImage,
    right: ToldManifest | undefined,
  ): Promise<Pick<PartsBelow, 'missing'> & Partial<Pick<PartsBelow, 'elsewhere'>>> {
    if (right === undefined || extent === 'tag') return { missing: [] };
    if (extent === 'manifests' && !mayBeIndexType(right.mediaType)) return { missing: [] };
    const search = { extent, tag: target.tag };
    const below = await this.#parts.search.lookBelow(target.repository, right.digest, search);
    return extent === 'parts' ? below : { missing: below.missing };
  }

  /**
   * Returns the digest of a tag at the destination in the algorithm of the source, if the contents are the same and the
   * two use different algorithms.
   */
  async #inAlgorithmOf(
    { source }: PlannedImage,
    sourceDigest: Digest,
    present: Digest | undefined,
  ): Promise<Digest | undefined> {
    if (present === undefined || digestAlgorithm(present) === digestAlgorithm(sourceDigest)) return present;
    const original = await this.#fetchImage(source, sourceDigest);
    return hasDigest(original, present) ? sourceDigest : present;
  }

  async #findPresent({ target }: PlannedImage): Promise<ToldManifest | undefined> {
    try {
      return await this.#target.findManifest(target.repository, target.tag, this.#signal);
    } catch (error) {
      // Artifactory denies access to tags that do not exist. If access is really denied, the push fails too.
      if (isRefusedQuestion(error)) return undefined;
      throw error;
    }
  }

  async #findSource({ source, sourceDigest }: PlannedImage): Promise<Digest> {
    if (sourceDigest !== undefined) return sourceDigest;
    const { registry, repository, tag } = source;
    const found = await registry.findManifest(repository, tag, this.#signal);
    if (found !== undefined) return found.digest;
    throw new Failure({
      code: 'NOT_FOUND',
      about: registry.nameOf(repository, tag),
      message: 'it does not exist at the source',
      hint: 'check its name and tag',
    });
  }

  /**
   * Returns the digests whose signatures may have to be copied with an image that was not copied itself: its own, and
   * those that its index lists. The index is only fetched if the source has signatures; without it, its own digest is
   * returned.
   */
  async #signedParts(image: PlannedImage, sourceDigest: Digest): Promise<readonly Digest[]> {
    const { target, signatureTags } = image;
    // What a list of referrers lists may be signed too.
    const listsNothing = isSignatureTag(target.tag) && !isReferrersTag(target.tag);
    if (signatureTags.length === 0 || listsNothing) return [sourceDigest];
    return [sourceDigest, ...(await this.#listedIn(image, sourceDigest))];
  }

  /** Returns the digests that an index of the source lists, for the chosen platforms; empty if it cannot be fetched. */
  async #listedIn({ source, platforms }: PlannedImage, sourceDigest: Digest): Promise<readonly Digest[]> {
    try {
      const manifest = await this.#fetchImage(source, sourceDigest);
      const fetch = (digest: Digest) => this.#fetch(source, digest);
      const choice = { platforms, about: source.repository, fetch };
      const { manifest: chosen } = await choosePlatforms(manifest, choice);
      return chosen.kind === 'index' ? chosen.manifests.map(({ digest }) => digest) : [];
    } catch {
      this.#signal.throwIfAborted();
      return [];
    }
  }

  #fetchImage(
    source: PlannedImage['source'],
    digest: Digest | undefined,
    pin?: PlannedImage['pin'],
  ): Promise<Manifest> {
    const { registry, repository, tag } = source;
    if (digest === undefined) return this.#fetch(source, tag);
    return this.#fetched.get(registry.nameOf(repository, digest), () =>
      pin === undefined
        ? getTaggedManifest(registry, repository, { tag, digest }, this.#signal)
        : getPinnedManifest(source, pin, this.#signal),
    );
  }

  /** Images share the result, so only the end of the run aborts it. */
  #fetch({ registry, repository }: Omit<PushTask['source'], 'tag'>, name: Tag | Digest): Promise<Manifest> {
    return this.#fetched.get(registry.nameOf(repository, name), () =>
      registry.getManifest(repository, name, this.#signal),
    );
  }
}
