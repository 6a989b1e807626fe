import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { TOKENS } from '../support/registry/access.ts';
import type { JournalEntry } from '../support/registry/journal.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { AUTHORITY_FILE } from '../support/test-authority.ts';
import { LOGIN, loginVariables } from '../support/token-server.ts';
import { brokenTags } from './wholeness.ts';

/** What came of killing a mirror again and again. */
export interface KillTally {
  kills: number;
  /** Runs that went on where a killed one had stopped, and came to their end. */
  resumes: number;
  blobsSent: number;
  /** Blobs whose bytes went out more than once. */
  blobsResent: number;
  /** Blobs that were on their way when a run was killed: so many may be sent again. */
  blobsInFlight: number;
  /** Blobs that were sent again beyond those in flight, generation by generation. */
  blobsInExcess: number;
  brokenTags: number;
  wrongBytes: number;
}

/** What is killed, how often, and how. */
export interface KillPlan {
  readonly kills: number;
  /** The command line of synctl, without its arguments. */
  readonly program: readonly string[];
  readonly signals: readonly NodeJS.Signals[];
  readonly random: () => number;
  readonly onKill?: (tally: KillTally) => void;
}

const REPOSITORIES = ['app-a', 'app-b', 'app-c', 'app-d'];
const KILLS_A_GENERATION = 7;
const LAYERS = [1_200_000, 60_000, 3000];

/** Mirrors generation after generation of images, killing the tool at random moments, and looks at what is left. */
export async function killAgainAndAgain(plan: KillPlan): Promise<KillTally> {
  await using source = await startRegistry({ frontDoor: true });
  await using destination = await startRegistry({ access: TOKENS });
  const world = new KilledMirror(source, destination, plan);
  try {
    for (let generation = 1; world.tally.kills < plan.kills; generation += 1) {
      addGeneration(source, generation);
      const kills = Math.min(KILLS_A_GENERATION, plan.kills - world.tally.kills);
      for (let kill = 0; kill < kills; kill += 1) await world.runAndKill();
      await world.runToTheEnd();
    }
    return world.tally;
  } finally {
    world.remove();
  }
}

/** A few new images a repository: a base that all share, a layer that two share, one of their own. */
function addGeneration({ storage }: TestRegistry, generation: number): void {
  for (const [position, repository] of REPOSITORIES.entries()) {
    for (const minor of [0, 1]) {
      const seed = `${repository} ${generation} ${minor}`;
      const layerSeeds = [`base ${generation}`, `pair ${generation} ${position % 2}`, seed];
      const options = { seed, tags: [`v${generation}.${minor}.0`], layers: LAYERS, layerSeeds };
      if (minor === 0) seedImage(storage, repository, options);
      else seedIndex(storage, repository, options);
    }
  }
}

class KilledMirror {
  readonly tally: KillTally = {
    kills: 0,
    resumes: 0,
    blobsSent: 0,
    blobsResent: 0,
    blobsInFlight: 0,
    blobsInExcess: 0,
    brokenTags: 0,
    wrongBytes: 0,
  };
  readonly #folder = mkdtempSync(join(tmpdir(), 'keel-kill-'));
  readonly #source: TestRegistry;
  readonly #destination: TestRegistry;
  readonly #plan: KillPlan;
  /** How many requests and milliseconds a run takes, as seen so far. */
  #requests = 60;
  #duration = 1500;
  #inFlightBefore = 0;

  constructor(source: TestRegistry, destination: TestRegistry, plan: KillPlan) {
    this.#source = source;
    this.#destination = destination;
    this.#plan = plan;
    const set = { names: REPOSITORIES };
    writeFileSync(join(this.#folder, 'image_set.json'), JSON.stringify(set));
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  async runAndKill(): Promise<void> {
    const { random, signals, onKill } = this.#plan;
    const signal = signals[Math.floor(random() * signals.length)] ?? 'SIGKILL';
    const begun = this.#destination.journal.entries.length;
    const child = this.#start();
    const kill = (): void => {
      if (child.process.exitCode !== null || child.process.signalCode !== null) return;
      child.process.kill(signal);
    };
    // Half of them at a request, which is where the danger is; half at any time, such as while the state is written.
    const isTimed = random() < 0.5;
    const after = 1 + Math.floor(random() * this.#requests);
    let seen = 0;
    const count = (_: JournalEntry): boolean => {
      seen += 1;
      if (seen === after) kill();
      return false;
    };
    const rules = [this.#source, this.#destination].map((registry) =>
      registry.fail({ match: { when: count }, fault: { kind: 'reset' } }),
    );
    const timer = isTimed ? setTimeout(kill, random() * this.#duration) : undefined;
    const { code, told } = await child.ended;
    clearTimeout(timer);
    for (const rule of rules) rule.stop();
    const isKnownEnd = code === null || code === 0 || code === 130 || code === 143;
    if (!isKnownEnd) throw new Error(`the tool ended with ${code} after ${signal}: ${told}`);
    await this.#settle();
    this.#countInFlight(begun);
    this.tally.kills += 1;
    this.#look();
    onKill?.(this.tally);
  }

  async runToTheEnd(): Promise<void> {
    const before = this.#source.journal.count() + this.#destination.journal.count();
    const began = performance.now();
    const { code, told } = await this.#start().ended;
    if (code !== 0) throw new Error(`the run after the kills ended with ${code}: ${told}`);
    this.#duration = performance.now() - began;
    this.#requests = Math.max(30, this.#source.journal.count() + this.#destination.journal.count() - before);
    this.tally.resumes += 1;
    this.#look();
    this.#compare();
    this.#source.journal.clear();
    this.#destination.journal.clear();
  }

  #start() {
    const [command = '', ...line] = this.#plan.program;
    const files = ['--image-set', 'image_set.json', '--db', 'sync.bolt.db', '--ca-file', AUTHORITY_FILE];
    const route = ['--source', this.#source.host, '--push-to', this.#destination.host, '--push-ns', 'keel'];
    const { PATH = '' } = process.env;
    const child = spawn(command, [...line, 'sync', ...route, ...files, '--retry-interval', '10ms'], {
      cwd: this.#folder,
      env: { PATH, HOME: this.#folder, ...loginVariables(LOGIN) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const told = Promise.all([text(child.stdout), text(child.stderr)]).then((parts) => parts.join(''));
    const ended = new Promise<{ code: number | null; told: string }>((resolve) => {
      child.once('close', async (code) => resolve({ code, told: await told }));
    });
    return { process: child, ended };
  }

  /** Waits until the registries have noticed that their client is gone. */
  async #settle(): Promise<void> {
    const isOpen = ({ state }: JournalEntry): boolean => state === 'open';
    while (
      this.#source.journal.count({ when: isOpen }) + this.#destination.journal.count({ when: isOpen }) >
      0
    ) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /**
   * Counts the uploads of the run that was killed whose answer it need not have seen. That it saw one is sure where it
   * sent something more over the same connection.
   */
  #countInFlight(begun: number): void {
    const last = new Map<number, JournalEntry>();
    for (const entry of this.#destination.journal.entries.slice(begun)) last.set(entry.connection, entry);
    this.tally.blobsInFlight += [...last.values()].filter(({ kind }) => kind === 'upload-put').length;
  }

  #look(): void {
    const faults = brokenTags(this.#destination.storage);
    this.tally.wrongBytes += faults.filter((fault) => fault.endsWith('other bytes')).length;
    this.tally.brokenTags += faults.filter((fault) => fault.endsWith('is missing')).length;
  }

  /** After a whole run every tag is what the source has, and it is known what was sent twice. */
  #compare(): void {
    for (const name of REPOSITORIES) {
      for (const [tag, digest] of this.#source.storage.repository(name).tags) {
        const there = this.#destination.storage.manifest(`keel/${name}`, tag)?.digest;
        if (there !== digest) throw new Error(`${name}:${tag} is ${there ?? 'missing'} instead of ${digest}`);
      }
    }
    const sends = this.#destination.journal
      .filter({ kind: 'upload-put' })
      .map(({ query }) => query.get('digest') ?? '');
    this.tally.blobsSent += sends.length;
    const resent = sends.length - new Set(sends).size;
    this.tally.blobsResent += resent;
    this.tally.blobsInExcess += Math.max(0, resent - (this.tally.blobsInFlight - this.#inFlightBefore));
    this.#inFlightBefore = this.tally.blobsInFlight;
  }
}
