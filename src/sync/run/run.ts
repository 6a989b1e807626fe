import type { ImageSet } from '../../config/image-set.ts';
import { APISERVER } from '../../config/kubeadm-images.ts';
import { KubeadmKnowledge } from '../../config/kubernetes/kubeadm-tags.ts';
import type { Place, Reporter } from '../../lib/reporter.ts';
import { RunDeadline } from '../../lib/run-deadline.ts';
import { countOf } from '../../lib/text/sentence.ts';
import type { Repository, Tag } from '../../registry/oci/reference.ts';
import type { Registries } from '../../registry/registries.ts';
import { openRunRegistries, type RunParts } from '../parts.ts';
import { type ResolvedWord, resolveCluster } from '../plan/cluster-resolution.ts';
import { placeOfClaim } from '../plan/collision.ts';
import { discover, type FoundRepository } from '../plan/discovery.ts';
import { type Grouping, groupByDestination } from '../plan/naming.ts';
import type { RepositoryPlan } from '../plan/planning.ts';
import type { Conversion } from '../plan/recorded-options.ts';
import { youngReleases } from '../plan/release-maturity.ts';
import { openVerification, type SourceVerification } from '../plan/source-verification.ts';
import { TagMaturity } from '../plan/tag-maturity.ts';
import { TroubleTeller, tellUnmatched } from '../report/failure-notices.ts';
import { tellMoved } from '../report/moved-report.ts';
import { countImages, type Report, type ReportedImage, reportHead } from '../report/report.ts';
import { isNothing, outcomeOf } from '../report/run-outcome.ts';
import { leftAloneWarning, signatureLine, signatureWarnings } from '../report/signature-report.ts';
import {
  conversionWarning,
  leftOutWarning,
  movedLine,
  nothingMatched,
  nothingNewLine,
  plannedLines,
  type Route,
  releaseLine,
  shortNames,
  strangerWarning,
  unaskedWarning,
  youngLine,
} from '../report/wording.ts';
import type { SyncSettings } from '../settings.ts';
import { openRemoteState, type RemoteState } from '../state/remote-state.ts';
import { takeRunLock } from '../state/run-lock.ts';
import type { RecordedRun, SourceView } from '../state/run-rows.ts';
import { State } from '../state/state.ts';
import { scopeOf } from '../state/state-in-registry.ts';
import { countGiven, readWantedImages, wantsOfSource } from '../wanted-images.ts';
import { Mirroring } from './mirroring.ts';
import { proveLogin, proveRegistry, reachRegistries } from './preflight.ts';
import { withoutName } from './reported-image.ts';
import {
  compareListings,
  findEndlessLists,
  findFilteredAway,
  findFilteredPrefixes,
  findUnclearCuts,
  findUnmatched,
  findUnmatchedScopes,
  findUnselected,
  type Sight,
  viewOfSource,
} from './source-view.ts';

/** The result of a run. */
export interface FinishedRun {
  readonly report: Report;
  /** The earlier runs with the same source and destination, and this one, the oldest first. */
  readonly runs: readonly RecordedRun[];
}

/** What was found of a set at its sources. */
interface Found {
  readonly repositories: readonly FoundRepository[];
  readonly grouping: Grouping;
}

/** What a run works with. */
interface OpenRun {
  readonly set: ImageSet;
  readonly words: readonly ResolvedWord[];
  readonly state: State;
  readonly remote: RemoteState | undefined;
  readonly registries: Registries;
  readonly verification: SourceVerification | undefined;
  readonly maturity: TagMaturity;
  readonly deadline: RunDeadline;
  readonly started: Date;
}

const PROGRESS_EVERY_MILLISECONDS = 200;

/** The earlier view for a run with given images: it does not look for anything else. */
const NOTHING_SEEN: SourceView = { matched: [], listings: new Map() };

/**
 * Mirrors the images of an image set from the source to the destination. Returns the report, also if the run was ended
 * early. Throws the reason why it could not begin: the image set, the state, or a registry that does not answer.
 */
export async function runSync(settings: SyncSettings, parts: RunParts): Promise<FinishedRun> {
  return new Run(settings, parts).run();
}

class Run {
  readonly #settings: SyncSettings;
  readonly #parts: RunParts;
  readonly #now: () => Date;
  readonly #images: ReportedImage[] = [];
  readonly #warnings: Report['warnings'] = [];
  readonly #conversions = new Set<Conversion>();
  /** What prefixes found and `exclude` left out. */
  readonly #excluded = new Set<string>();

  constructor(settings: SyncSettings, parts: RunParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#now = parts.now ?? (() => new Date());
  }

  async run(): Promise<FinishedRun> {
    const started = this.#now();
    const { database, dryRun, commandTimeout } = this.#settings;
    using deadline = new RunDeadline(commandTimeout, this.#parts.signal);
    const set = await readWantedImages(this.#settings, deadline.signal);
    for (const { message, place } of set.notices) this.#warn(message, place);
    const reporter = this.#reporter();
    using _lock = dryRun ? undefined : takeRunLock(database);
    using remote = openRemoteState(this.#settings, {
      ...this.#parts,
      ...reporter,
      scope: scopeOf(this.#settings),
      isReadOnly: dryRun,
    });
    const registries = await openRunRegistries(this.#settings, {
      ...this.#parts,
      signal: deadline.signal,
      deadline: deadline.at,
    });
    try {
      const verification = await openVerification(this.#settings, set, deadline.signal);
      const find = (): Promise<Found> => this.#find(set, registries, deadline.signal);
      const fetchState = remote?.fetching(registries, deadline.signal) ?? this.#parts.fetchState;
      // A state is fetched while repositories are searched for. A local one is opened before the first request.
      const early = fetchState === undefined ? undefined : await Promise.all([find(), fetchState()]);
      const mode = dryRun ? 'read' : 'write';
      using state = State.open(remote?.file ?? database, { reporter, mode, now: this.#now });
      const [found] = early ?? [await find()];
      const maturity = new TagMaturity({ log: state, now: started });
      const resolved = await this.#resolve(set, found, { state, maturity }, deadline.signal);
      const open = { ...resolved, state, remote, registries, verification, maturity, deadline, started };
      return await this.#mirror(found.grouping, open);
    } finally {
      registries.close();
    }
  }

  async #mirror(grouping: Grouping, open: OpenRun): Promise<FinishedRun> {
    const { set, words, state, remote, registries, deadline, started } = open;
    const { source, given } = this.#settings;
    const plans = await this.#mirrorGroups(grouping, open);
    const planned = this.#settings.dryRun ? plannedLines(this.#images, this.#route()) : [];
    for (const line of planned) this.#parts.reporter.line(line);
    tellMoved(this.#images, this.#settings, this.#parts.reporter);
    const young = youngLine(this.#images);
    if (young !== undefined) this.#parts.reporter.line(young);
    const head = reportHead(this.#settings, this.#parts.version);
    this.#tellSignatures(head.options);
    const leftOut = leftOutWarning(this.#images);
    if (leftOut !== undefined) this.#warn(leftOut);
    const leftAlone = leftAloneWarning(this.#images);
    if (leftAlone !== undefined) this.#warn(leftAlone);
    const isWhole = !deadline.signal.aborted;
    const view = viewOfSource(set, plans);
    const before = given === undefined ? state.sourceView(source) : NOTHING_SEEN;
    const unselected = isWhole ? findUnselected(set, plans) : [];
    const sight = { set, ...grouping, plans, before, excluded: this.#excluded };
    const unmatched = isWhole ? this.#findUnmatched(sight, unselected) : [];
    for (const text of isWhole ? compareListings(before, view) : []) this.#warn(text);
    const totals = countImages(this.#images);
    const left = this.#images.filter(({ reason }) => reason?.code === 'INTERRUPTED').length;
    const interrupted = isWhole ? undefined : { message: deadline.reason, left };
    if (unmatched.length + totals.failed > 0 || this.#settings.dryRun) this.#tellStrangers(registries);
    const harvest = { totals, unmatched, unselected, shards: head.shards };
    if (isWhole && isNothing(harvest)) this.#parts.reporter.error(nothingMatched(source));
    const outcome = outcomeOf({ ...harvest, interrupted });
    const run: RecordedRun = { started, ended: this.#now(), outcome, ...totals };
    const scope = scopeOf(this.#settings);
    const runs = [...state.runs(scope), run];
    // Shards and given images show only a part of the source, so they must not overwrite the view of the whole.
    const isWholeView = isWhole && this.#settings.shard === undefined && given === undefined;
    state.recordRun({ scope, run, ...(isWholeView ? { sourceViews: new Map([[source, view]]) } : {}) });
    await remote?.push(deadline.signal);
    const report: Report = {
      ...head,
      started: started.toISOString(),
      ended: run.ended.toISOString(),
      stateRestored: state.restored,
      interrupted,
      totals,
      kubernetes: words.map(({ word, place, versions, isOpen }) => {
        return { word, place, versions, unknown: isOpen ? true : undefined };
      }),
      unmatched,
      unselected,
      warnings: this.#warnings,
      requests: [...registries.traffic].map(([host, traffic]) => ({ host, ...traffic })),
      images: this.#images,
    };
    return { report, runs };
  }

  #route(): Route {
    const { source, destination, namespace } = this.#settings;
    return { source, destination: namespace === undefined ? destination : `${destination}/${namespace}` };
  }

  async #find(set: ImageSet, registries: Registries, signal: AbortSignal): Promise<Found> {
    const { source, destination, additionNamespaces, namespace, dryRun, given } = this.#settings;
    const what = given === undefined ? source : countOf(countGiven(set), 'image');
    this.#parts.reporter.section(
      `Mirror ${what} to ${destination}${namespace === undefined ? '' : `/${namespace}`}`,
    );
    const target = registries.at(destination);
    await reachRegistries(wantsOfSource(set, source) ? registries.at(source) : target, target, signal);
    const found = await discover({
      set,
      source: registries.at(source),
      registryAt: (host) => registries.at(host),
      namespaces: additionNamespaces,
      onExcluded: (name) => this.#excluded.add(name),
      signal,
    });
    // Only now a repository is known for which the login can be checked.
    const grouping = groupByDestination(found, set, this.#settings);
    const [first] = grouping.groups;
    if (first !== undefined) {
      await proveLogin(target, first.repository, signal);
      // A dry run must not write anything, so it only warns of a destination that is not a registry.
      if (!dryRun) await proveRegistry(target, first.repository, signal);
    }
    return { repositories: found, grouping };
  }

  /** Resolves the words for releases of Kubernetes in a set, and records what was learnt for that. */
  async #resolve(
    set: ImageSet,
    { repositories, grouping }: Found,
    { state, maturity }: Pick<OpenRun, 'state' | 'maturity'>,
    signal: AbortSignal,
  ): Promise<Pick<OpenRun, 'set' | 'words'>> {
    const source = repositories.find(({ name }) => name === APISERVER);
    const { destination: host } = this.#settings;
    const kubeadm = new KubeadmKnowledge(state.learntTags());
    const mirrored = (repository: Repository, tags: readonly Tag[]) =>
      state.imagesOf({ host, repository }, tags);
    const resolution = await resolveCluster(set, {
      list: async () => source?.list(),
      findYoung: () => youngReleases(set, grouping.groups, { maturity, kubeadm, mirrored, signal }),
      learnt: state.learntTags(),
      maker: this.#parts.maker,
      onLearnt: (tags) => state.learn([tags]),
      signal,
    });
    for (const { message, place } of resolution.notices) this.#warn(message, place);
    const lines = new Set(resolution.words.flatMap((word) => releaseLine(word) ?? []));
    for (const line of lines) this.#parts.reporter.line(line);
    return { set: resolution.set, words: resolution.words };
  }

  async #mirrorGroups({ groups, nameless }: Grouping, open: OpenRun): Promise<readonly RepositoryPlan[]> {
    const { set, state, registries, verification, maturity, deadline } = open;
    const { reporter } = this.#parts;
    const { source, destination } = this.#settings;
    const trouble = new TroubleTeller(reporter, (claimants) => placeOfClaim(set, source, claimants));
    for (const { found, failure } of nameless) this.#take(withoutName(found, failure, destination), trouble);
    const mirroring = new Mirroring({
      set,
      settings: this.#settings,
      target: registries.at(destination),
      state,
      verification,
      maturity,
      now: this.#now(),
      signal: deadline.signal,
      onResult: (image) => this.#take(image, trouble),
    });
    const route = this.#route();
    const show = (): void => {
      const { current } = mirroring;
      reporter.progress({
        activity: 'mirroring',
        done: this.#images.length,
        total: this.#images.length + mirroring.open,
        unit: 'images',
        failed: trouble.failed,
        bytes: mirroring.bytes,
        ...mirroring.bytesTotal,
        current: current.map((image) => shortNames(image, route)),
        notes: current.map(({ note }) => note),
      });
    };
    const ticker = setInterval(show, PROGRESS_EVERY_MILLISECONDS);
    try {
      const plans = await mirroring.run(groups);
      const unasked = unaskedWarning(mirroring.unasked);
      if (unasked !== undefined) this.#warn(unasked);
      return plans;
    } finally {
      clearInterval(ticker);
      trouble.finish();
    }
  }

  #take(image: ReportedImage, trouble: TroubleTeller): void {
    this.#images.push(image);
    const { reporter } = this.#parts;
    const { conversion, outcome } = image;
    if (conversion !== undefined && outcome === 'copied' && !this.#conversions.has(conversion)) {
      this.#conversions.add(conversion);
      this.#warn(conversionWarning(this.#settings.destination, conversion));
    }
    trouble.take(image);
    if (outcome === 'copied' && !this.#settings.dryRun) reporter.line(movedLine(image, this.#route()));
  }

  #tellStrangers(registries: Registries): void {
    for (const host of [this.#settings.source, this.#settings.destination]) {
      const { oddity } = registries.at(host).likeness;
      if (oddity !== undefined) this.#warn(strangerWarning(host, oddity));
    }
  }

  #tellSignatures(options: Report['options']): void {
    const line = signatureLine(this.#images);
    if (line !== undefined) this.#parts.reporter.line(line);
    for (const text of signatureWarnings(this.#images, options)) this.#warn(text);
  }

  #findUnmatched(sight: Sight, unselected: ReturnType<typeof findUnselected>): Report['unmatched'] {
    const { set, plans } = sight;
    for (const { message, place } of findFilteredAway(unselected)) this.#warn(message, place);
    const older = unselected.filter(({ emptied }) => emptied === 'since');
    const line = nothingNewLine(older.map(({ image }) => image));
    if (line !== undefined) this.#parts.reporter.line(line);
    for (const { message, place } of findEndlessLists(set, plans)) this.#warn(message, place);
    for (const { message, place } of findUnclearCuts(set, plans)) this.#warn(message, place);
    if (this.#settings.shard !== undefined) return [];
    for (const { message, place } of findFilteredPrefixes(set, plans, unselected)) this.#warn(message, place);
    for (const { message, place } of findUnmatchedScopes(sight)) this.#warn(message, place);
    return tellUnmatched(findUnmatched(sight), this.#parts.reporter);
  }

  #warn(message: string, place?: Place): void {
    this.#warnings.push({ message, place });
    this.#parts.reporter.warning(message, place);
  }

  /** Returns a reporter that keeps warnings for the report too. */
  #reporter(): Pick<Reporter, 'warning'> {
    return { warning: (text, place) => this.#warn(text, place) };
  }
}
