import { readImageSet } from '../../config/configuration-file.ts';
import type { ImageSet } from '../../config/image-set.ts';
import { extraName } from '../../config/image-set-name.ts';
import { seconds } from '../../lib/duration.ts';
import { describeFailure, Failure } from '../../lib/failure.ts';
import type { Reporter } from '../../lib/reporter.ts';
import { RunDeadline } from '../../lib/run-deadline.ts';
import { countOf } from '../../lib/text/sentence.ts';
import type { Host, Repository } from '../../registry/oci/reference.ts';
import type { Registries } from '../../registry/registries.ts';
import type { Registry } from '../../registry/registry.ts';
import { openRunRegistries } from '../parts.ts';
import { discover, type FoundRepository } from '../plan/discovery.ts';
import { groupByDestination } from '../plan/naming.ts';
import { repeatedly } from '../run/preflight.ts';
import type { SyncSettings } from '../settings.ts';
import type { KnownStateParts } from '../state/known-state.ts';
import { type Check, type Diagnosis, diagnose, doubtful, type Finding, fine } from './diagnosis.ts';
import { listDestination, ping, resolveName } from './host-checks.ts';
import { Probe } from './probe.ts';
import { PushPermissions } from './push-permission.ts';
import { askSources, isNothingFound, judgeSources } from './source-checks.ts';
import { examineState } from './state-check.ts';

/** How long what was pushed may take to be deleted when the command's time is over or someone stops it. */
const CLEAN_UP_MILLISECONDS = 10_000;
/** Shorter than those of a run, because somebody waits. */
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

/** The first wanted repository, which stands for all in the checks. */
interface FirstRepository {
  readonly found: FoundRepository;
  /** Its name at the destination. */
  readonly repository: Repository;
}

type SourceAnswers = Awaited<ReturnType<typeof askSources>>;

/** What the sources say of all that is wanted. Each is asked once. */
interface Wanted {
  /** The repositories at the destination. */
  readonly targets: readonly Repository[];
  /** With what a run cannot mirror, because the destination can have no such name. */
  readonly own: () => Promise<SourceAnswers>;
  /** Of other registries than the source. */
  readonly others: () => Promise<SourceAnswers>;
}

/** What the command line lends to doctor. */
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
  #set: ImageSet | undefined;
  #first: FirstRepository | undefined;
  #wanted: Promise<Wanted> | undefined;
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
    const probe = (use: (probe: Probe) => Promise<Finding>) => async () => use(await this.#probeOf());
    return [
      { name: 'image set', needs: [], run: () => this.#readSet() },
      ...(isRemote ? [] : [state([])]),
      { name: 'source name', needs: [], run: () => resolveName(source, signal) },
      { name: 'source', needs: ['source name'], run: () => ping(source, signal) },
      { name: 'source list', needs: ['image set', 'source'], run: () => this.#askSource() },
      { name: 'other sources', needs: ['image set'], run: () => this.#askOthers() },
      { name: 'destination name', needs: [], run: () => resolveName(target, signal) },
      { name: 'destination', needs: ['destination name'], run: () => ping(target, signal) },
      { name: 'login', needs: ['image set', 'destination'], run: () => this.#logIn() },
      ...(isRemote ? [state(['login'])] : []),
      {
        name: 'list',
        needs: ['login'],
        run: async () => listDestination(target, (await this.#findFirst()).repository, signal),
      },
      { name: 'push', needs: ['login'], run: () => this.#push() },
      { name: 'repositories', needs: ['login'], run: () => this.#pushToOthers() },
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
        `the trial image, which has no tag, may stay at ${this.#target.host} until it cleans up (${describeFailure(error)})`,
      );
    }
  }

  async #readSet(): Promise<Finding> {
    const set = await readImageSet(this.#settings.imageSet);
    this.#set = set;
    const held = `${set.file}: ${contentsOf(set)}`;
    const [notice] = set.notices;
    return notice === undefined
      ? fine(held)
      : doubtful(`${held}; line ${notice.place.line}: ${notice.message}`);
  }

  /** Names and extras need no search of the source; prefixes do. */
  async #findFirst(): Promise<FirstRepository> {
    if (this.#first !== undefined) return this.#first;
    const set = this.#setOf();
    const named = await this.#find({ ...set, prefixes: [] });
    const found = named.length > 0 ? named : await this.#find(set);
    const { destination, naming, namespace } = this.#settings;
    const undivided = { destination, naming, namespace, shard: undefined };
    const [first] = groupByDestination(found, set, undivided).groups;
    const [member] = first?.members ?? [];
    if (first !== undefined && member !== undefined) {
      this.#first = { found: member, repository: first.repository };
      return this.#first;
    }
    throw this.#nothingWanted(this.#source.host);
  }

  /** Asks for what is wanted of the source itself. Throws if a run could mirror nothing of it. */
  async #askSource(): Promise<Finding> {
    const { own, others } = await this.#discover();
    const answers = await own();
    const [first] = answers;
    if (first?.kind === 'refused' && answers.every(({ kind }) => kind === 'refused')) throw first.failure;
    if (await this.#isNothing(answers, others)) {
      // Of a set of extras alone, those are told.
      if (answers.length > 0 || (await others()).length === 0) throw this.#nothingWanted(this.#source.host);
    }
    return answers.length === 0 ? fine('nothing is wanted of it') : judgeSources(answers);
  }

  /** Asks for the extras that other registries have. */
  async #askOthers(): Promise<Finding> {
    const { own, others } = await this.#discover();
    const answers = await others();
    const isAlone = answers.length > 0 && (await own()).length === 0;
    if (isAlone && (await this.#isNothing(answers, own))) throw this.#nothingWanted('other registries');
    return answers.length === 0 ? fine('none is used') : judgeSources(answers);
  }

  async #isNothing(answers: SourceAnswers, others: Wanted['own']): Promise<boolean> {
    const { shard } = this.#settings;
    return isNothingFound(answers, shard) && isNothingFound(await others(), shard);
  }

  #ask(found: readonly FoundRepository[]): Promise<SourceAnswers> {
    const { signal, reporter } = this.#parts;
    const progress = { activity: 'asking', unit: 'repositories', bytes: 0, current: [] };
    const onAnswer = (done: number, total: number) => reporter.progress({ ...progress, done, total });
    return askSources(found, { set: this.#setOf(), signal, onAnswer });
  }

  /** Finds all that is wanted, as a run does. */
  #discover(): Promise<Wanted> {
    this.#wanted ??= this.#find(this.#setOf()).then((found) => {
      const { groups, nameless } = groupByDestination(found, this.#setOf(), this.#settings);
      const members = groups.flatMap((group) => group.members);
      const isOwn = ({ registry }: FoundRepository) => registry.host === this.#source.host;
      const refused = nameless.map(
        ({ found: { name }, failure }) => ({ name, kind: 'refused', failure }) as const,
      );
      return {
        targets: groups.map(({ repository }) => repository),
        own: once(async () => [...(await this.#ask(members.filter(isOwn))), ...refused]),
        others: once(() => this.#ask(members.filter((member) => !isOwn(member)))),
      };
    });
    return this.#wanted;
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

  #nothingWanted(where: string): Failure<'NOT_FOUND'> {
    return new Failure({
      code: 'NOT_FOUND',
      about: this.#setOf().file,
      message: `nothing at ${where} is wanted by it`,
      hint: 'correct its names, prefixes, "tags" and "exclude", or add their namespaces with --addition-ns',
    });
  }

  async #logIn(): Promise<Finding> {
    const { signal } = this.#parts;
    const { repository } = await this.#findFirst();
    const user = await repeatedly(this.#target, signal, () => this.#target.logIn(repository));
    if (user === undefined) return fine(`${this.#target.host} wants no login`);
    const { isProved, origin = '--username or KEEL_USERNAME' } = await this.#target.aboutLogin(repository);
    if (isProved) return fine(`logged in as ${user}, from ${origin}`);
    return doubtful(
      `no answer of ${this.#target.host} shows whether the login of ${user}, from ${origin}, is right`,
      'the checks below tell what it may do',
    );
  }

  /** Proves the push to the repository that the other checks are about. */
  async #push(): Promise<Finding> {
    const { repository } = await this.#findFirst();
    const failure = await this.#permissions.failureAt(repository);
    if (failure !== undefined) throw failure;
    return fine(`pushing to ${this.#target.host}/${repository} is allowed`);
  }

  async #pushToOthers(): Promise<Finding> {
    const first = (await this.#findFirst()).repository;
    const wanted = await this.#discover().catch(() => this.#parts.signal.throwIfAborted());
    if (wanted === undefined)
      return doubtful('none but the first was tried: the source does not tell which are wanted');
    return this.#permissions.judge(wanted.targets, first);
  }

  async #probeOf(): Promise<Probe> {
    this.#probe ??= new Probe(this.#target, (await this.#findFirst()).repository, this.#parts.signal);
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
function contentsOf({ kubernetes, cniFilters, names, prefixes, extras }: ImageSet): string {
  const others = extras.filter(({ value }) => !cniFilters.has(extraName(value)));
  const parts = [
    [kubernetes.length, countOf(kubernetes.length, 'release of Kubernetes', 'releases of Kubernetes')],
    [cniFilters.size, countOf(cniFilters.size, 'image for CNI', 'images for CNI')],
    [names.length, countOf(names.length, 'name')],
    [prefixes.length, countOf(prefixes.length, 'prefix', 'prefixes')],
    [others.length, countOf(others.length, 'extra')],
  ] as const;
  const words = parts.flatMap(([count, text]) => (count === 0 ? [] : [text]));
  return words.length === 0 ? 'it asks for nothing' : words.join(', ');
}
