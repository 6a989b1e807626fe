import type { VerificationMode } from '../config/flags/signature-flags.ts';
import { kubeadmMinors, type LearntTags } from '../config/kubernetes/kubeadm-tags.ts';
import {
  type KubernetesVersion,
  kubernetesMinor,
  toKubernetesVersion,
} from '../config/kubernetes/kubernetes-version.ts';
import type { UpstreamMirror } from '../config/upstream-mirror.ts';
import { failureCode } from '../lib/failure.ts';
import { readAuthorities } from '../lib/http/certificate-authorities.ts';
import { HttpClient } from '../lib/http/http.ts';
import type { HttpTimeouts } from '../lib/http/request-clock.ts';
import type { Reporter } from '../lib/reporter.ts';
import type { RetryPolicy } from '../lib/retry.ts';
import { SingleFlight } from '../lib/single-flight.ts';
import { ComponentQuestions } from './component-questions.ts';
import { readKubeadmConstants } from './kubeadm-constants.ts';
import { KubeadmProgram, type ProgramPlace } from './kubeadm-program.ts';
import { MAKER_TIMEOUTS, MakerClient, type MakerClientParts } from './maker-client.ts';
import type { Asked, AskedComponents, Makers } from './makers.ts';
import { askInTurn, type Source } from './question.ts';
import { NothingThere, WrongAnswer } from './wrong-answer.ts';

const CONSTANTS_PATH = 'cmd/kubeadm/app/constants/constants.go';
/** In bytes; it has some 35 kB. */
const CONSTANTS_LIMIT = 512 * 1024;
const VERSION_LIMIT = 1024;
const KUBERNETES = 'kubernetes/kubernetes';

/** The settings of a run that affect its questions to upstream. */
interface UpstreamSettings {
  readonly upstreamMirror: UpstreamMirror;
  readonly githubToken?: string | undefined;
  readonly verifySignatures: VerificationMode;
  readonly retry: RetryPolicy;
  readonly caFile: string | undefined;
  readonly tlsSkipVerify: readonly string[];
}

interface UpstreamParts extends MakerClientParts {
  /** With `require`, kubeadm is not run, because keel-pkg cannot verify its signature. */
  readonly verifySignatures: VerificationMode;
  /** Where kubeadm may be run for a moment; this machine by default. */
  readonly place?: ProgramPlace | undefined;
  /** Called once for each question, with what is asked for. */
  readonly onAsk?: ((question: string) => void) | undefined;
}

/** Upstream on the web. Each question is asked once, however often a method is called. */
export class Upstream implements Makers, Disposable {
  readonly #http: HttpClient;
  readonly #client: MakerClient;
  readonly #mirror: UpstreamMirror;
  readonly #program: KubeadmProgram | undefined;
  readonly #onAsk: ((question: string) => void) | undefined;
  readonly #releases = new SingleFlight<number | undefined, Asked<KubernetesVersion>>({ results: 100 });
  readonly #tags = new SingleFlight<KubernetesVersion, Asked<LearntTags>>({ results: 1000 });
  readonly #components = new SingleFlight<KubernetesVersion, AskedComponents>({
    results: 100,
  });

  constructor(parts: UpstreamParts) {
    const { verifySignatures, place = { platform: process.platform, machine: process.arch } } = parts;
    this.#http = parts.http;
    this.#client = new MakerClient(parts);
    this.#mirror = parts.mirror;
    this.#program =
      verifySignatures === 'require' ? undefined : new KubeadmProgram(this.#client, parts, place);
    this.#onAsk = parts.onAsk;
  }

  /** Returns upstream for a run with these settings. Throws `CA_FILE_MALFORMED`. */
  static async open(
    settings: UpstreamSettings,
    {
      signal,
      reporter,
      timeouts = MAKER_TIMEOUTS,
    }: {
      readonly signal: AbortSignal;
      readonly reporter: Pick<Reporter, 'line'>;
      readonly timeouts?: HttpTimeouts | undefined;
    },
  ): Promise<Upstream> {
    const { upstreamMirror: mirror, caFile, tlsSkipVerify: unverified } = settings;
    const authorities = await readAuthorities(caFile, signal);
    const http = new HttpClient({ authorities, unverified, timeouts });
    const { githubToken, verifySignatures, retry } = settings;
    // Behind a firewall, answers take a while.
    const onAsk = (question: string): void => reporter.line(`asking upstream for ${question}`);
    return new Upstream({ http, mirror, githubToken, verifySignatures, retry, onAsk });
  }

  /** Breaks off all questions. */
  [Symbol.dispose](): void {
    this.#http.close();
  }

  newestRelease(minor: number | undefined, signal: AbortSignal): Promise<Asked<KubernetesVersion>> {
    return this.#releases.get(minor, () => {
      this.#onAsk?.(minor === undefined ? 'the newest Kubernetes' : `the newest Kubernetes 1.${minor}`);
      const url = stableFile(minor);
      const sources: Source<KubernetesVersion>[] = [
        {
          name: url.pathname.slice('/release/'.length),
          by: this.#nameOf(url),
          ask: () => this.#stable(url, minor, signal),
        },
        {
          name: 'releases/latest of kubernetes',
          by: this.#nameOf(new URL(`https://github.com/${KUBERNETES}`)),
          ask: async () => provenRelease(await this.#client.latestTag(KUBERNETES, signal), minor),
        },
      ];
      return askInTurn(sources, signal);
    });
  }

  kubeadmTags(version: KubernetesVersion, signal: AbortSignal): Promise<Asked<LearntTags>> {
    return this.#tags.get(version, () => {
      this.#onAsk?.(`the images of kubeadm ${version}`);
      return askInTurn(this.#tagSources(version, signal), signal);
    });
  }

  components(version: KubernetesVersion, signal: AbortSignal): Promise<AskedComponents> {
    return this.#components.get(version, () => {
      this.#onAsk?.(`the components that go with Kubernetes ${version}`);
      return new ComponentQuestions(this.#client).ask(version, signal);
    });
  }

  /** Returns the host of an address, with the mirror that its answer comes through. */
  #nameOf(url: URL): string {
    return this.#mirror.isMapped(url) ? `${url.host} through ${this.#mirror.map(url).host}` : url.host;
  }

  async #stable(
    url: URL,
    minor: number | undefined,
    signal: AbortSignal,
  ): Promise<KubernetesVersion | undefined> {
    const text = await this.#client.text(url, VERSION_LIMIT, signal);
    if (text !== undefined) return provenRelease(text, minor);
    // For a minor without a release there is no such file. But a mirror may just not have it yet.
    if (minor === undefined || this.#mirror.isMapped(url)) throw new WrongAnswer('there is no such file');
    return undefined;
  }

  #tagSources(version: KubernetesVersion, signal: AbortSignal): Source<LearntTags>[] {
    const tag = `v${version}`;
    const name = `kubeadm's constants at kubernetes ${tag}`;
    const read = (text: string | undefined): LearntTags => {
      if (text === undefined) throw new NothingThere('there is no such file');
      return { version, tags: readKubeadmConstants(text, version), origin: `kubernetes ${tag}` };
    };
    const url = new URL(`https://raw.githubusercontent.com/${KUBERNETES}/${tag}/${CONSTANTS_PATH}`);
    const file = { repository: KUBERNETES, tag, path: CONSTANTS_PATH };
    return [
      { name, ask: async () => read(await this.#client.text(url, CONSTANTS_LIMIT, signal)) },
      {
        name: `${name}, by GitHub's API`,
        // It has the same file, and may answer if the other host is blocked.
        isFor: ([error]) => this.#client.hasToken && isNoAnswer(error),
        ask: async () => read(await this.#client.repositoryFile(file, CONSTANTS_LIMIT, signal)),
      },
      {
        name: `kubeadm ${version} itself`,
        ask: async () => {
          if (this.#program === undefined) {
            throw new NothingThere(
              'signatures are required but cannot be verified for kubeadm, so it does not run',
            );
          }
          return { version, tags: await this.#program.tags(version, signal), origin: `kubeadm ${version}` };
        },
      },
    ];
  }
}

/** Returns the address of the file that names the newest release of all, or of a minor. */
function stableFile(minor: number | undefined): URL {
  return new URL(`https://dl.k8s.io/release/${minor === undefined ? 'stable.txt' : `stable-1.${minor}.txt`}`);
}

function isNoAnswer(error: unknown): boolean {
  return !(error instanceof WrongAnswer) && failureCode(error) !== 'NOT_FOUND';
}

/** Returns a stable version that is no older than the built-in table, of a minor if one is given. Throws `WrongAnswer`. */
function provenRelease(text: string, minor: number | undefined): KubernetesVersion {
  const version = toKubernetesVersion(text);
  if (version === undefined) throw new WrongAnswer('its content is not a version');
  if (version.includes('-')) throw new WrongAnswer(`it names ${version}, which is not a stable version`);
  const found = kubernetesMinor(version);
  if (minor !== undefined && found !== minor) throw new WrongAnswer(`it names ${version}`);
  const { newest } = kubeadmMinors();
  if (minor === undefined && found < newest) {
    throw new WrongAnswer(`it names ${version}, although 1.${newest} is already known`);
  }
  return version;
}
