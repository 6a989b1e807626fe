import type { ImageSet } from '../../config/image-set.ts';
import { extraName } from '../../config/image-set-name.ts';
import { APISERVER } from '../../config/kubeadm-images.ts';
import { seconds } from '../../lib/duration.ts';
import { describeFailure, Failure } from '../../lib/failure.ts';
import type { Reporter } from '../../lib/reporter.ts';
import { RunDeadline } from '../../lib/run-deadline.ts';
import { countOf } from '../../lib/text/sentence.ts';
import type { Host, Repository } from '../../registry/oci/reference.ts';
import type { Registries } from '../../registry/registries.ts';
import type { Registry } from '../../registry/registry.ts';
import { openRunRegistries } from '../parts.ts';
import { resolveCluster } from '../plan/cluster-resolution.ts';
import { discover, type FoundRepository } from '../plan/discovery.ts';
import { groupByDestination } from '../plan/naming.ts';
import { repeatedly } from '../run/preflight.ts';
import type { SyncSettings } from '../settings.ts';
import { type KnownStateParts, readKnownTags } from '../state/known-state.ts';
import { countGiven, readWantedImages, wantsOfSource } from '../wanted-images.ts';
import { type Check, type Diagnosis, diagnose, doubtful, type Finding, fine, withheld } from './diagnosis.ts';
import { listDestination, ping, resolveName } from './host-checks.ts';
import { Probe } from './probe.ts';
import { PushPermissions } from './push-permission.ts';
import { askSources, isNothingFound, judgeSources } from './source-checks.ts';
import { examineState } from './state-check.ts';

/** How long doctor may take to delete what it pushed, after the command's time is over or someone stops it. */
const CLEAN_UP_MILLISECONDS = 10_000;
/** Shorter than those of a run, because people wait for the result. */
const TIMEOUTS = { connect: seconds(10), firstByte: seconds(20), idle: seconds(20) };

/**
 * Checks whether a run with these settings would work, and returns the outcomes. It pushes a small image without a tag
 * to one repository and deletes it. Throws only `COMMAND_TIMED_OUT`, the signal's reason and failures of `--ca-file`.
 */
export async function examine(
  settings: SyncSettings,
  parts: DoctorParts,
  onDiagnosis: (diagnosis: Diagnosis) => void,
): Promise<readonly Diagnosis[]> {
  using deadline = new RunDeadline(settings.commandTimeout, parts.signal);
  const { signal } = deadline;
  const limited = { ...parts, signal, timeouts: parts.timeouts ?? TIMEOUTS };
  const registries = await openRunRegistries(settings, { ...limited, deadline: deadline.at });
  const examination = new Examination(settings, limited, registries);
  try {
    return await diagnose(examination.checks(), signal, onDiagnosis);
  } catch (error) {
    await examination.withdraw();
    throw error;
  } finally {
    registries.close();
  }
}

const NOTHING_OF_SOURCE = 'no image is selected from it';

type SourceAnswers = Awaited<ReturnType<typeof askSources>>;

/** What the command line passes to doctor. */
interface DoctorParts extends KnownStateParts {
  readonly reporter: KnownStateParts['reporter'] & Pick<Reporter, 'progress'>;
}

class Examination {
  readonly #settings: SyncSettings;
  readonly #parts: DoctorParts;
  readonly #registries: Registries;
  readonly #source: Registry;
  readonly #target: Registry;
  readonly #permissions: PushPermissions;
  /** What names, releases and extras want, which needs no search of the source. */
  readonly #named = once(() => this.#find({ ...this.#setOf(), prefixes: [] }));
  /** All that is wanted, as a run finds it. */
  readonly #found = once(() => this.#find(this.#setOf()));
  /** The set, with what its words for releases of Kubernetes mean. */
  readonly #resolved = once(() => this.#resolve());
  readonly #first = once(() => this.#findFirst());
  /** The answers of the source about the repositories that are wanted from it. */
  readonly #own = once(async () => this.#ask(await this.#found(), (found) => this.#isOwn(found)));
  /** The answers of other registries about extras. */
  readonly #others = once(async () => this.#ask(await this.#named(), (found) => !this.#isOwn(found)));
  /** The wanted repositories at the destination. If the search of the source fails, those that need no search. */
  readonly #targets = once(() => this.#findTargets());
  /** The repository that takes the trial image. */
  readonly #chosen = once(() => this.#choose());
  /** The repositories of which the sources have no wanted image, so that a run pushes nothing: `host/repository`. */
  readonly #unmatched = new Set<string>();
  #set: ImageSet | undefined;
  #probe: Probe | undefined;

  constructor(settings: SyncSettings, parts: DoctorParts, registries: Registries) {
    this.#settings = settings;
    this.#parts = parts;
    this.#registries = registries;
    this.#source = registries.at(settings.source);
    this.#target = registries.at(settings.destination);
    this.#permissions = new PushPermissions(this.#target, parts.signal);
  }

  checks(): Check[] {
    const { signal } = this.#parts;
    const source = this.#source;
    const target = this.#target;
    const isRemote = this.#settings.state === 'registry';
    const state = (needs: readonly string[]): Check => ({
      name: 'state',
      needs,
      run: () => examineState(this.#settings, this.#registries, this.#parts),
    });
    const ofSource = (check: () => Promise<Finding>) => async () =>
      this.#set === undefined || wantsOfSource(this.#set, source.host) ? check() : fine(NOTHING_OF_SOURCE);
    const probe = (use: (probe: Probe) => Promise<Finding>) => async () => use(await this.#probeOf());
    return [
      { name: 'image set', needs: [], run: () => this.#readSet(signal) },
      ...(isRemote ? [] : [state([])]),
      { name: 'source name', needs: [], run: ofSource(() => resolveName(source, signal)) },
      { name: 'source', needs: ['source name'], run: ofSource(() => ping(source, signal)) },
      { name: 'source list', needs: ['image set', 'source'], run: () => this.#askSource() },
      { name: 'other sources', needs: ['image set'], run: () => this.#askOthers() },
      { name: 'destination name', needs: [], run: () => resolveName(target, signal) },
      { name: 'destination', needs: ['destination name'], run: () => this.#reachTarget() },
      { name: 'login', needs: ['image set', 'destination'], run: () => this.#logIn() },
      ...(isRemote ? [state(['login'])] : []),
      {
        name: 'list',
        needs: ['login'],
        run: async () => listDestination(target, await this.#firstOf(), signal),
      },
      { name: 'push', needs: ['login'], run: () => this.#push() },
      { name: 'repositories', needs: ['push'], run: () => this.#pushToOthers() },
      { name: 'size', needs: ['push'], run: probe((one) => one.sendChunk()) },
      { name: 'layers', needs: ['push'], run: probe((one) => one.pushLayer()) },
      { name: 'formats', needs: ['layers'], run: probe((one) => one.pushManifests()) },
      { name: 'clean-up', needs: ['push'], run: probe((one) => one.remove()) },
    ];
  }

  /** Deletes what was pushed when the examination was aborted, within a time of its own. Never throws. */
  async withdraw(): Promise<void> {
    if (this.#probe === undefined) return;
    const signal = AbortSignal.timeout(CLEAN_UP_MILLISECONDS);
    try {
      // The aborted signal would also end the requests for tokens of the registries at hand.
      const parts = { ...this.#parts, signal, deadline: undefined };
      using stack = new DisposableStack();
      const registries = await openRunRegistries(this.#settings, parts);
      stack.defer(() => registries.close());
      const target = registries.at(this.#settings.destination);
      await target.ping();
      const left = await this.#probe.withdraw(target, signal);
      if (left !== undefined) this.#parts.reporter.warning(left);
    } catch (error) {
      this.#parts.reporter.warning(
        `the trial image, which has no tag, may remain at ${this.#target.host} until it cleans up (${describeFailure(error)})`,
      );
    }
  }

  async #readSet(signal: AbortSignal): Promise<Finding> {
    const set = await readWantedImages(this.#settings, signal);
    this.#set = set;
    const given = this.#settings.given && countOf(countGiven(set), 'given image');
    const rules = set.file === '' ? '' : `, with the rules of ${set.file}`;
    const held = given === undefined ? `${set.file}: ${contentsOf(set)}` : `${given}${rules}`;
    const [notice] = set.notices;
    return notice === undefined
      ? fine(held)
      : doubtful(`${held}; line ${notice.place.line}: ${notice.message}`);
  }

  /**
   * Returns the first wanted repository at the destination, which stands for all in the checks before the push;
   * undefined if there is none, which the checks of the sources report.
   */
  async #findFirst(): Promise<Repository | undefined> {
    const named = await this.#named();
    const found =
      named.length > 0 ? named : await this.#found().catch(() => this.#parts.signal.throwIfAborted());
    const { destination, naming, namespace } = this.#settings;
    const undivided = { destination, naming, namespace, shard: undefined };
    const { groups } = groupByDestination(found ?? [], this.#setOf(), undivided);
    return (groups.find((group) => this.#isMatched(group)) ?? groups[0])?.repository;
  }

  async #firstOf(): Promise<Repository> {
    const first = await this.#first();
    if (first === undefined) throw new Error('nothing is wanted');
    return first;
  }

  /** Requests what is wanted from the source itself. Throws if a run could mirror nothing of it. */
  async #askSource(): Promise<Finding> {
    const answers = await this.#own();
    const [first] = answers;
    if (first?.kind === 'refused' && answers.every(({ kind }) => kind === 'refused')) {
      const others = await this.#others();
      if (others.every(({ kind }) => kind === 'refused')) throw first.failure;
    }
    if (await this.#isNothing(answers, this.#others)) {
      // If the set has only extras, the check of these reports it.
      if (answers.length > 0 || (await this.#others()).length === 0)
        throw this.#nothingWanted(this.#source.host);
    }
    if (answers.length === 0) return fine(NOTHING_OF_SOURCE);
    const finding = judgeSources(answers, this.#source.host);
    const [notice] = (await this.#resolved()).notices;
    if (notice === undefined || finding.outcome === 'partial') return finding;
    return doubtful(`line ${notice.place.line}: ${notice.message}; ${finding.message}`, finding.hint);
  }

  /** Requests the extras from other registries. */
  async #askOthers(): Promise<Finding> {
    const answers = await this.#others();
    if (answers.length === 0) return fine('there are none');
    // The check of the source reports what the source refuses.
    const own = async () => (await this.#own().catch(() => this.#parts.signal.throwIfAborted())) ?? [];
    const isNothing = await this.#isNothing(answers, own);
    if (isNothing && (await own()).length === 0) throw this.#nothingWanted('other registries');
    return judgeSources(answers, 'other registries');
  }

  async #isNothing(answers: SourceAnswers, others: () => Promise<SourceAnswers>): Promise<boolean> {
    const { shard } = this.#settings;
    return isNothingFound(answers, shard) && isNothingFound(await others(), shard);
  }

  #isOwn({ registry }: FoundRepository): boolean {
    return registry.host === this.#source.host;
  }

  /**
   * Requests a part of what was found. The answers include repositories that a run cannot mirror because the
   * destination cannot have such a name.
   */
  async #ask(
    found: readonly FoundRepository[],
    isAsked: (found: FoundRepository) => boolean,
  ): Promise<SourceAnswers> {
    const { signal, reporter } = this.#parts;
    const set = this.#setOf();
    const { groups, nameless } = groupByDestination(found, set, this.#settings);
    const members = groups.flatMap((group) => group.members).filter(isAsked);
    const refused = nameless
      .filter((one) => isAsked(one.found))
      .map(({ found: { name }, failure }) => ({ name, kind: 'refused', failure }) as const);
    const progress = { activity: 'asking', unit: 'repositories', bytes: 0, current: [] };
    const onAnswer = (done: number, total: number) => reporter.progress({ ...progress, done, total });
    const { set: resolved } = await this.#resolved();
    const answers = await askSources(members, { set: resolved, signal, onAnswer });
    for (const { kind, name } of answers) if (kind === 'unmatched') this.#unmatched.add(name);
    return [...answers, ...refused];
  }

  async #findTargets(): Promise<readonly Repository[]> {
    const found = await this.#found().catch(() => {
      this.#parts.signal.throwIfAborted();
      return this.#named();
    });
    const { groups } = groupByDestination(found, this.#setOf(), this.#settings);
    return groups.filter((group) => this.#isMatched(group)).map(({ repository }) => repository);
  }

  #isMatched({ members }: { readonly members: readonly FoundRepository[] }): boolean {
    return members.some(({ registry, repository }) => !this.#unmatched.has(`${registry.host}/${repository}`));
  }

  #find(set: ImageSet): Promise<FoundRepository[]> {
    return discover({
      set,
      source: this.#source,
      registryAt: (host: Host) => this.#registries.at(host),
      namespaces: this.#settings.additionNamespaces,
      signal: this.#parts.signal,
    });
  }

  async #resolve(): Promise<Awaited<ReturnType<typeof resolveCluster>>> {
    const { signal, maker } = this.#parts;
    const apiserver = (await this.#named()).find(({ name }) => name === APISERVER);
    // The check of the state reports what is wrong with it.
    const silent = { ...this.#parts, reporter: { warning: () => undefined, detail: () => undefined } };
    const learnt = await readKnownTags(this.#settings, this.#registries, silent).catch(() => {
      signal.throwIfAborted();
      return [];
    });
    return resolveCluster(this.#setOf(), { list: async () => apiserver?.list(), learnt, maker, signal });
  }

  #nothingWanted(where: string): Failure<'NOT_FOUND'> {
    return new Failure({
      code: 'NOT_FOUND',
      about: this.#setOf().file,
      message: `it selects nothing at ${where}`,
      hint: 'correct its names, prefixes, "tags" and "exclude", or add namespaces with --addition-ns',
    });
  }

  /** If the ping does not show that the destination is a registry, requests a repository too, as a run does. */
  async #reachTarget(): Promise<Finding> {
    const repository = this.#set === undefined ? undefined : await this.#first();
    return ping(this.#target, this.#parts.signal, repository);
  }

  async #logIn(): Promise<Finding> {
    const { signal } = this.#parts;
    const repository = await this.#first();
    if (repository === undefined) return withheld('source list');
    const user = await repeatedly(this.#target, signal, () => this.#target.logIn(repository));
    if (user === undefined) return fine(`${this.#target.host} requires no login`);
    const { isProved, origin = '--username or KEEL_USERNAME' } = await this.#target.aboutLogin(repository);
    if (isProved) return fine(`logged in as ${user}, from ${origin}`);
    return doubtful(
      `no answer of ${this.#target.host} shows whether the login of ${user}, from ${origin}, is correct`,
      'the checks below show what it may do',
    );
  }

  async #choose(): Promise<Repository> {
    return this.#permissions.firstAllowed(await this.#firstOf(), this.#targets);
  }

  /** Finds the first repository that may be pushed to. The check of the others reports those before it. */
  async #push(): Promise<Finding> {
    return fine(`pushing to ${this.#target.host}/${await this.#chosen()} is allowed`);
  }

  async #pushToOthers(): Promise<Finding> {
    const finding = await this.#permissions.judge(await this.#targets(), await this.#firstOf());
    const isWhole = await this.#found().then(
      () => true,
      () => false,
    );
    if (isWhole || finding.outcome !== 'ok') return finding;
    return doubtful(
      `${finding.message}; because the search of the source failed, only repositories that need no search were tested`,
    );
  }

  async #probeOf(): Promise<Probe> {
    this.#probe ??= new Probe(this.#target, await this.#chosen(), this.#parts.signal);
    return this.#probe;
  }

  #setOf(): ImageSet {
    if (this.#set === undefined) throw new Error('the image set was not read');
    return this.#set;
  }
}

function once<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let result: Promise<Result> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}

/** Returns the numbers of releases, names, prefixes and extras in an image set, without zeroes. */
function contentsOf({ kubernetes, cniWishes, names, prefixes, extras }: ImageSet): string {
  const others = extras.filter(({ value }) => !cniWishes.has(extraName(value)));
  const parts = [
    [kubernetes.length, countOf(kubernetes.length, 'release of Kubernetes', 'releases of Kubernetes')],
    [cniWishes.size, countOf(cniWishes.size, 'image for CNI', 'images for CNI')],
    [names.length, countOf(names.length, 'name')],
    [prefixes.length, countOf(prefixes.length, 'prefix', 'prefixes')],
    [others.length, countOf(others.length, 'extra')],
  ] as const;
  const words = parts.flatMap(([count, text]) => (count === 0 ? [] : [text]));
  return words.length === 0 ? 'it selects nothing' : words.join(', ');
}
