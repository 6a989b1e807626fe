import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { UpstreamMirror } from '../../src/config/upstream-mirror.ts';
import { milliseconds, seconds } from '../../src/lib/duration.ts';
import type { Reporter } from '../../src/lib/reporter.ts';
import { parseHost, parseRepository } from '../../src/registry/oci/reference.ts';
import type { RunParts } from '../../src/sync/parts.ts';
import type { Report, ReportedImage } from '../../src/sync/report/report.ts';
import { readReport } from '../../src/sync/report/report-file.ts';
import { runSync } from '../../src/sync/run/run.ts';
import type { SyncSettings } from '../../src/sync/settings.ts';
import type { PushTarget } from './images/push.ts';
import { scratchFolder } from './scratch-folder.ts';
import { AUTHORITY_FILE } from './test-authority.ts';
import { loginVariables } from './token-server.ts';

/** What a run needs that goes over settings; the clock and the way to end it early. */
export interface RunChoices extends Partial<SyncSettings> {
  readonly now?: Date;
  readonly signal?: AbortSignal;
}

/** Where images come from and go to, and which. */
export interface Route {
  readonly source: { readonly host: string };
  readonly destination: PushTarget;
  /** As in image_set.json. */
  readonly set: object;
  /** An empty folder for its files; one of the running test by default. */
  readonly folder?: string | undefined;
}

const PROGRAM = fileURLToPath(new URL('../../src/synctl.ts', import.meta.url));
const NAMESPACE = parseRepository('keel');

/** A line of what a run told: `warning: …`, `error: …`, or the plain line. */
class Lines implements Reporter {
  readonly lines: string[] = [];

  section(): void {}
  progress(): void {}
  detail(): void {}
  close(): void {}
  line(told: string): void {
    this.lines.push(told);
  }
  warning(told: string): void {
    this.lines.push(`warning: ${told}`);
  }
  error(told: string): void {
    this.lines.push(`error: ${told}`);
  }
}

/** Runs over one route that share a state file, as the runs of every night do. */
export class SyncRoute {
  readonly folder: string;
  readonly database: string;
  readonly #imageSet: string;
  readonly #route: Route;

  constructor(route: Route) {
    this.#route = route;
    this.folder = route.folder ?? scratchFolder();
    this.database = join(this.folder, 'sync.bolt.db');
    this.#imageSet = join(this.folder, 'image_set.json');
    this.wants(route.set);
  }

  /** Changes the image set. */
  wants(set: object): void {
    writeFileSync(this.#imageSet, JSON.stringify(set));
  }

  hasState(): boolean {
    return existsSync(this.database);
  }

  /** Mirrors within this process. */
  async run(choices: RunChoices = {}): Promise<{ report: Report; lines: string[] }> {
    const { now, signal, ...settings } = choices;
    const reporter = new Lines();
    const { report } = await runSync(this.settings(settings), {
      ...this.parts(reporter),
      ...(signal === undefined ? {} : { signal }),
      ...(now === undefined ? {} : { now: () => now }),
    });
    return { report, lines: reporter.lines };
  }

  /** Starts `synctl sync` as a process of its own. */
  start(...flags: readonly string[]): SynctlProcess {
    const { source, destination } = this.#route;
    const report = join(this.folder, 'report.json');
    const route = ['--source', source.host, '--push-to', destination.host, '--push-ns', NAMESPACE];
    const files = ['--image-set', this.#imageSet, '--db', this.database, '--report', report];
    const trust = ['--ca-file', AUTHORITY_FILE];
    return new SynctlProcess(
      ['sync', ...route, ...files, ...trust, '--retry-interval', '10ms', ...flags],
      report,
      {
        HOME: this.folder,
        ...(destination.login && loginVariables(destination.login)),
      },
    );
  }

  /** What commands borrow from their front. */
  parts(reporter: Reporter = new Lines()): RunParts {
    return {
      reporter,
      signal: new AbortController().signal,
      environment: { HOME: this.folder },
      runCredentialHelper: async () => undefined,
      onSecret: () => undefined,
      version: 'test',
    };
  }

  settings(choices: Partial<SyncSettings> = {}): SyncSettings {
    const { source, destination } = this.#route;
    return {
      source: parseHost(source.host),
      destination: parseHost(destination.host),
      namespace: NAMESPACE,
      username: destination.login?.username,
      password: destination.login?.password,
      imageSet: this.#imageSet,
      database: this.database,
      state: 'file',
      queryLimit: undefined,
      limit: undefined,
      commandTimeout: milliseconds(0),
      pushTimeout: seconds(60),
      retry: { attempts: 3, interval: milliseconds(10) },
      additionNamespaces: [],
      dryRun: false,
      naming: 'basename',
      platforms: [],
      signatures: 'skip',
      verify: 'sample',
      movedTags: 'warn',
      verifySignatures: 'off',
      trustedRoot: undefined,
      shard: undefined,
      report: undefined,
      failOn: 'any',
      insecureRegistries: [],
      tlsSkipVerify: [],
      caFile: undefined,
      upstreamMirror: new UpstreamMirror(),
      json: false,
      ...choices,
    };
  }
}

/** `synctl sync` while it runs, and what became of it. */
export class SynctlProcess {
  readonly #child;
  readonly #report: string;
  readonly #told: Promise<string>;
  readonly #ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  constructor(line: readonly string[], report: string, environment: Readonly<Record<string, string>>) {
    const { PATH = '' } = process.env;
    this.#report = report;
    this.#child = spawn(process.execPath, [PROGRAM, ...line], {
      env: { PATH, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.#child;
    this.#told = Promise.all([text(stdout), text(stderr)]).then((parts) => parts.join(''));
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for a moment of the run. Throws what the process told when it ends before. */
  async until(moment: Promise<void>): Promise<void> {
    const isReached = await Promise.race([moment.then(() => true), this.#ended.then(() => false)]);
    if (!isReached) throw new Error(`synctl ended too soon: ${await this.#told}`);
  }

  /** Waits for its end and returns its exit code, or the signal that ended it, and all it told. */
  async end(): Promise<{ code: number | NodeJS.Signals | null; told: string }> {
    const [{ code, signal }, told] = await Promise.all([this.#ended, this.#told]);
    return { code: code ?? signal, told };
  }

  get report(): Report {
    return readReport(this.#report);
  }
}

/** Returns what became of each image, by its destination without host and namespace, in order. */
export function outcomes({ images }: Report): Record<string, ReportedImage['outcome']> {
  const entries = images.map(({ destination, outcome }): [string, ReportedImage['outcome']] => [
    destination.replace(/^[^/]+\/keel\//, ''),
    outcome,
  ]);
  return Object.fromEntries(entries.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
