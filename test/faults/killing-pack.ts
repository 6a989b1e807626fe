import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { FileServer } from '../support/file-server.ts';
import { Gateway } from '../support/gateway.ts';
import { Kodo } from '../support/kodo/kodo.ts';
import { TOKENS } from '../support/registry/access.ts';
import { generatedBytes } from '../support/registry/content.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedIndex } from '../support/registry/seed.ts';
import { AUTHORITY_FILE } from '../support/test-authority.ts';
import { LOGIN, loginVariables } from '../support/token-server.ts';
import type { KillPlan } from './killing.ts';
import { brokenFiles } from './package-wholeness.ts';
import { brokenTags } from './wholeness.ts';

/** What came of killing packing and publishing again and again. */
export interface PackTally {
  kills: number;
  /** Runs that went on where a killed one had stopped, and came to their end. */
  resumes: number;
  /** Blobs and components that were asked for, and those of them that stood whole on this machine already. */
  filesFetched: number;
  filesFetchedAgain: number;
  /** Parts and blobs of packages that were sent, and those that had arrived in an upload known here. */
  partsSent: number;
  partsResent: number;
  brokenPackages: number;
  wrongBytes: number;
}

/** A plan for packer, which is run twice for a package: to pack, and to push. */
export type PackKillPlan = Omit<KillPlan, 'onKill'> & { readonly onKill?: (tally: PackTally) => void };

const KILLS_A_GENERATION = 7;
const LAYERS = [3_000_000, 1_200_000, 3000];
const COMPONENT_SIZE = 1_500_000;
const BUCKET = 'keel';
const ENDS: readonly (number | null)[] = [null, 0, 130, 143];

/** Packs and publishes generation after generation, killing the tool at random moments, and looks at what is left. */
export async function killPackAgainAndAgain(plan: PackKillPlan): Promise<PackTally> {
  await using world = await KilledPack.start(plan);
  for (let generation = 1; world.tally.kills < plan.kills; generation += 1) {
    world.addGeneration(generation);
    const kills = Math.min(KILLS_A_GENERATION, plan.kills - world.tally.kills);
    for (let kill = 0; kill < kills; kill += 1) await world.runAndKill();
    await world.runToTheEnd();
  }
  return world.tally;
}

interface Services {
  readonly mirror: TestRegistry;
  readonly target: TestRegistry;
  readonly files: FileServer;
  readonly web: Gateway;
  readonly kodo: Kodo;
  readonly upload: Gateway;
}

/** What a run need not fetch or send, and how long the journals were before it. */
interface Arrived {
  readonly files: readonly string[];
  readonly parts: readonly string[];
  readonly blobs: ReadonlySet<string>;
  readonly marks: readonly number[];
  readonly partsBefore: number;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function listed(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

class KilledPack implements AsyncDisposable {
  readonly tally: PackTally = {
    kills: 0,
    resumes: 0,
    filesFetched: 0,
    filesFetchedAgain: 0,
    partsSent: 0,
    partsResent: 0,
    brokenPackages: 0,
    wrongBytes: 0,
  };
  readonly #folder = mkdtempSync(join(tmpdir(), 'keel-kill-'));
  readonly #plan: PackKillPlan;
  readonly #stack: AsyncDisposableStack;
  readonly #services: Services;
  #version = '';
  #component: Uint8Array = new Uint8Array();
  /** How many requests and milliseconds a run takes, as seen so far. */
  #requests = 25;
  #duration = 2000;

  private constructor(plan: PackKillPlan, stack: AsyncDisposableStack, services: Services) {
    this.#plan = plan;
    this.#stack = stack;
    this.#services = services;
    // Where a packer that was not built looks for the files that every package has.
    symlinkSync(resolve('package'), join(this.#folder, 'package'));
  }

  static async start(plan: PackKillPlan): Promise<KilledPack> {
    const stack = new AsyncDisposableStack();
    const mirror = stack.use(await startRegistry({ redirectBlobs: true, access: TOKENS }));
    const target = stack.use(await startRegistry({ access: TOKENS }));
    const files = stack.use(await FileServer.start());
    const web = stack.use(await Gateway.open(files.origin));
    const kodo = stack.use(await Kodo.start());
    const upload = stack.use(await Gateway.open(kodo.url));
    kodo.advertise(upload.host);
    return new KilledPack(plan, stack, { mirror, target, files, web, kodo, upload });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A new version of Kubernetes: an image with a layer that all versions share, and a program. */
  addGeneration(generation: number): void {
    const { mirror, files, web } = this.#services;
    this.#version = `1.37.${generation}`;
    const layerSeeds = [`own ${generation}`, 'shared'];
    const tags = [`v${this.#version}`];
    seedIndex(mirror.storage, 'keel/kube-proxy', { seed: `${generation}`, tags, layers: LAYERS, layerSeeds });
    this.#component = generatedBytes(`kubelet ${generation}`, COMPONENT_SIZE);
    const path = `/${this.#version}/kubelet`;
    files.put(path, Buffer.from(this.#component));
    files.put(`${path}.sha256`, sha256(this.#component));
    const versions = {
      arch: 'amd64',
      images: [{ name: 'kube-proxy', tag: `v${this.#version}`, image: '127.0.0.1:1/kube-proxy' }],
      components: [{ name: 'kubelet', tag: this.#version, uri: `${web.url}${path}` }],
    };
    writeFileSync(join(this.#folder, 'versions.json'), JSON.stringify(versions));
  }

  async runAndKill(): Promise<void> {
    const { random, signals, onKill } = this.#plan;
    const signal = signals[Math.floor(random() * signals.length)] ?? 'SIGKILL';
    const stop = new AbortController();
    // Half of them at a request; half at any time, such as while the package is written.
    const isTimed = random() < 0.5;
    const after = 1 + Math.floor(random() * this.#requests);
    let seen = 0;
    const count = (): boolean => {
      seen += 1;
      if (!isTimed && seen === after) stop.abort();
      return false;
    };
    const { mirror, target, web, upload } = this.#services;
    const rules = [mirror, target, web, upload].map((service) =>
      service.fail({ match: { when: count }, fault: { kind: 'reset' } }),
    );
    const timer = isTimed ? setTimeout(() => stop.abort(), random() * this.#duration) : undefined;
    const { code, told } = await this.#run(stop.signal, signal);
    clearTimeout(timer);
    for (const rule of rules) rule.stop();
    if (!ENDS.includes(code)) throw new Error(`packer ended with ${code} after ${signal}: ${told}`);
    this.tally.kills += 1;
    await this.#look();
    onKill?.(this.tally);
  }

  async runToTheEnd(): Promise<void> {
    const before = this.#countRequests();
    const began = performance.now();
    const { code, told } = await this.#run(new AbortController().signal, 'SIGKILL');
    if (code !== 0) throw new Error(`the run after the kills ended with ${code}: ${told}`);
    this.#duration = performance.now() - began;
    this.#requests = Math.max(15, this.#countRequests() - before);
    this.tally.resumes += 1;
    await this.#look();
    const { kodo, target } = this.#services;
    if (kodo.object(BUCKET, this.#name) === undefined) throw new Error(`Qiniu has no ${this.#name}`);
    const tagged = target.storage.manifest('me/kube', `${this.#version}-amd64`);
    if (tagged === undefined) throw new Error(`the registry has no ${this.#version}`);
  }

  get #name(): string {
    return `kube-${this.#version}-amd64.tar.gz`;
  }

  get #package(): string {
    return join(this.#folder, 'out', this.#name);
  }

  #countRequests(): number {
    const { mirror, target, web, upload } = this.#services;
    return [mirror, target, web, upload].reduce((sum, { journal }) => sum + journal.count(), 0);
  }

  /** Packs and pushes; the signal goes to whichever of the two is running. Returns the code of the last one. */
  async #run(stop: AbortSignal, kill: NodeJS.Signals): Promise<{ code: number | null; told: string }> {
    const { mirror, target, upload, kodo } = this.#services;
    const before = this.#there();
    const folders = ['--output', 'out', '--image-output', 'images', '--download-output', 'downloads'];
    const retries = ['--retry', '3', '--retry-interval', '10ms'];
    const packed = await this.#start(
      ['--image-source', `${mirror.host}/keel`, ...folders, ...retries],
      stop,
      kill,
      loginVariables(LOGIN),
    );
    const to = ['--repo', 'qiniu,dockerhub', '--dockerhub-repository', `${target.host}/me/kube`];
    const line = ['push', '--pkg-uri', this.#package, ...to, '--dockerhub-form=artifact', ...retries];
    const { accessKey, secretKey } = kodo.account;
    const environment = {
      KEEL_ACCESS_KEY: accessKey,
      KEEL_SECRET_KEY: secretKey,
      KEEL_QINIU_ENDPOINT: upload.url,
      KEEL_DOCKERHUB_USERNAME: LOGIN.username,
      KEEL_DOCKERHUB_PASSWORD: LOGIN.password,
    };
    const ended =
      packed.code === 0 && !stop.aborted ? await this.#start(line, stop, kill, environment) : packed;
    this.#count(before);
    return ended;
  }

  async #start(
    line: readonly string[],
    stop: AbortSignal,
    kill: NodeJS.Signals,
    environment: Readonly<Record<string, string>>,
  ): Promise<{ code: number | null; told: string }> {
    const [command = '', ...program] = this.#plan.program;
    const { PATH = '' } = process.env;
    const child = spawn(command, [...program, ...line], {
      cwd: this.#folder,
      env: { PATH, HOME: this.#folder, NODE_EXTRA_CA_CERTS: AUTHORITY_FILE, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const onStop = (): void => void child.kill(kill);
    stop.addEventListener('abort', onStop);
    const told = Promise.all([text(child.stdout), text(child.stderr)]);
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    stop.removeEventListener('abort', onStop);
    return { code, told: (await told).join('') };
  }

  /** What is here and at the targets before a run, and so need not move again. */
  #there(): Arrived {
    const { mirror, web, kodo, upload, target } = this.#services;
    const record = `${this.#package}.${BUCKET}.upload.json`;
    const known = existsSync(record) ? readFileSync(record, 'utf8') : '';
    const parts = kodo.requests('part').filter(({ status }) => status === 200);
    const blobs = target.storage.repositories.get('me/kube')?.blobs ?? [];
    return {
      files: [
        ...listed(join(this.#folder, 'images/blobs/sha256')),
        ...listed(join(this.#folder, 'downloads')),
      ],
      parts: parts
        .filter(({ uploadId = '?', key }) => key === this.#name && known.includes(uploadId))
        .map(({ uploadId, part }) => `${uploadId} ${part}`),
      blobs: new Set<string>(blobs),
      marks: [mirror, web, upload, target].map(({ journal }) => journal.entries.length),
      partsBefore: kodo.journal.length,
    };
  }

  #count({ files, parts, blobs, marks, partsBefore }: Arrived): void {
    const { mirror, web, kodo, target } = this.#services;
    const asked = [
      ...mirror.journal.entries.slice(marks[0]).filter(({ kind }) => kind === 'storage-get'),
      ...web.journal.entries
        .slice(marks[1])
        .filter(({ method, path }) => method === 'GET' && path.endsWith('t')),
    ].map(({ path }) => path.replace(/^.*[/:]/, '').replace(/^kubelet$/, `kubelet-${this.#version}-amd64`));
    const sent = kodo.journal
      .slice(partsBefore)
      .filter(({ operation }) => operation === 'part')
      .map(({ uploadId, part }) => `${uploadId} ${part}`);
    const pushed = target.journal.entries
      .slice(marks[3])
      .filter(({ kind }) => kind === 'upload-put')
      .map(({ query }) => query.get('digest') ?? '');
    this.tally.filesFetched += asked.length;
    this.tally.filesFetchedAgain += asked.filter((name) => files.includes(name)).length;
    this.tally.partsSent += sent.length + pushed.length;
    this.tally.partsResent +=
      sent.filter((part) => parts.includes(part)).length + pushed.filter((blob) => blobs.has(blob)).length;
  }

  /** Whatever has a package's name, here or at a target, is all of a package. */
  async #look(): Promise<void> {
    const { kodo, target } = this.#services;
    const local = existsSync(this.#package) ? readFileSync(this.#package) : undefined;
    if (local !== undefined) {
      const expected = new Map([['kubernetes/bin/kubelet', sha256(this.#component)]]);
      const faults = await brokenFiles(this.#package, expected);
      this.tally.wrongBytes += faults.filter((fault) => fault.endsWith('other bytes')).length;
      this.tally.brokenPackages += faults.some((fault) => !fault.endsWith('other bytes')) ? 1 : 0;
    }
    const object = kodo.object(BUCKET, this.#name);
    if (object !== undefined && local !== undefined) {
      const published = await kodo.content(BUCKET, this.#name);
      if (!published.equals(local)) this.tally.wrongBytes += 1;
    }
    this.tally.brokenPackages += brokenTags(target.storage).length;
  }
}
