import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, expect, onTestFinished } from 'vitest';
import { formatCommand } from '../../src/actions/workflow-command.ts';
import { readReport } from '../../src/sync/report/report-file.ts';
import { bundledAction } from '../support/action-bundle.ts';
import { Job, LONG_PATIENCE, type ProcessResult, type StepOptions } from '../support/action-runner.ts';
import { ActionsService } from '../support/actions-service/service.ts';
import { PUBLIC_TOKENS } from '../support/registry/access.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { AUTHORITY_FILE } from '../support/test-authority.ts';
import { formatGolden } from './golden.ts';

export const USERNAME = 'robot';
export const PASSWORD = 'pa55 w/rd+';

export const IMAGE_SET = `{
  "names": ["pause", "etcd"],
  "prefixes": ["kube-"],
  "exclude": ["-rc."]
}
`;

beforeAll(() => void bundledAction('action-sync'));

/** What is different tonight. */
export interface NightOptions extends Pick<StepOptions, 'cancelWhen'> {
  /** Besides what every night is given. */
  readonly with?: Readonly<Record<string, string>>;
  /** Instead of what every night is given. */
  readonly exactly?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly imageSet?: string;
  readonly node?: string;
  readonly prepare?: (job: Job) => Promise<void>;
}

/** What came of a night. */
export interface Night {
  readonly main: ProcessResult;
  readonly post: ProcessResult;
  /** All that a person can see of it, with what changes from run to run named instead. */
  readonly golden: string;
  readonly report: ReturnType<typeof readReport> | undefined;
  /** The arguments of every process of the night. */
  readonly processes: readonly string[];
}

/** A source, a destination that wants a login, and GitHub's cache: what stays while nights go by. */
export class Nights {
  readonly source: TestRegistry;
  readonly destination: TestRegistry;
  readonly service: ActionsService;
  /** Repositories of the destination that the login may not push to. */
  readonly denied: Set<string>;
  #count = 0;

  private constructor(parts: Pick<Nights, 'source' | 'destination' | 'service' | 'denied'>) {
    this.source = parts.source;
    this.destination = parts.destination;
    this.service = parts.service;
    this.denied = parts.denied;
  }

  /** Starts them, with some images at the source; they end with the test. */
  static async start(mode: 'basic' | 'bearer' = 'bearer'): Promise<Nights> {
    const source = await startRegistry({ listing: { style: 'google' }, access: PUBLIC_TOKENS });
    onTestFinished(() => source[Symbol.asyncDispose]());
    const denied = new Set<string>();
    const allows = (_: string | undefined, repository: string, action: string): boolean =>
      action === 'pull' || !denied.has(repository);
    const destination = await startRegistry({
      access: { mode, users: { [USERNAME]: PASSWORD }, allows },
    });
    onTestFinished(() => destination[Symbol.asyncDispose]());
    const service = await ActionsService.start();
    onTestFinished(() => service[Symbol.asyncDispose]());
    const { storage } = source;
    for (const tag of ['v1.36.2', 'v1.36.3', 'v1.37.0-rc.0']) {
      for (const name of ['kube-apiserver', 'kube-proxy', 'kube-scheduler']) {
        seedIndex(storage, name, { seed: `${name} ${tag}`, tags: [tag] });
      }
    }
    for (const tag of ['3.10', '3.10.1']) seedImage(storage, 'pause', { seed: `pause ${tag}`, tags: [tag] });
    seedIndex(storage, 'etcd', { tags: ['3.6.8-0'], layers: [200_000, 4000] });
    return new Nights({ source, destination, service, denied });
  }

  /** Runs the action once, main and post, on a fresh machine. */
  async night(options: NightOptions = {}): Promise<Night> {
    this.#count += 1;
    await using folder = await mkdtempDisposable(path.join(tmpdir(), 'keel-night-'));
    const job = await Job.start({
      folder: folder.path,
      secrets: [PASSWORD],
      patience: LONG_PATIENCE,
      env: {
        ...this.service.environment(),
        GITHUB_RUN_ID: String(this.#count),
        // Logins of whoever runs the tests are none of ours.
        DOCKER_CONFIG: folder.path,
        ...options.env,
      },
      ...(options.node === undefined ? {} : { node: options.node }),
    });
    await writeFile(path.join(job.workspace, 'image_set.json'), options.imageSet ?? IMAGE_SET);
    await options.prepare?.(job);
    const main = await job.step({
      action: bundledAction('action-sync'),
      with: options.exactly ?? { ...this.inputs(), ...options.with },
      ...(options.cancelWhen === undefined ? {} : { cancelWhen: options.cancelWhen }),
    });
    const [post] = await job.finish();
    if (post === undefined) throw new Error('the action has no post part');
    this.#expectNoSecret(job, main, post);
    const { report: file = '' } = main.outputs;
    const report = file === '' ? undefined : readReport(path.resolve(job.workspace, file));
    const names = new Map([
      [this.source.host, 'source.test'],
      [this.destination.host, 'destination.test'],
      [this.service.origin, 'https://cache.test'],
      [job.temp, '<temp>'],
      [job.workspace, '<workspace>'],
    ]);
    return { main, post, report, golden: formatGolden(main, post, names), processes: job.processes };
  }

  /** Whatever a night is about, nobody may learn the password, a token or a signed address from it. */
  #expectNoSecret(job: Job, ...parts: readonly ProcessResult[]): void {
    const shown = this.destination.journal.entries.map(({ headers }) => headers.authorization ?? '');
    const tokens = new Set(shown.flatMap((header) => /^Bearer (.+)$/.exec(header)?.[1] ?? []));
    const secrets = {
      'the password': PASSWORD,
      ...this.service.secrets(),
      ...Object.fromEntries([...tokens].map((token, index) => [`token ${index} of the destination`, token])),
    };
    expect(job.findSecrets(secrets)).toEqual([]);
    expect(job.processes.length).toBeGreaterThanOrEqual(parts.length);
    for (const { stdout, log } of parts) {
      if (!log.masks.includes(PASSWORD)) continue;
      // Nothing may stand before the lines that tell the runner what to hide.
      const lines = stdout.split('\n');
      const first = lines.findIndex((line) => !line.startsWith('::add-mask::'));
      expect(lines.slice(0, first)).toContain(formatCommand('add-mask', PASSWORD));
    }
  }

  /** Returns what a workflow would write under `with`. */
  inputs(): Record<string, string> {
    return {
      source: this.source.host,
      'push-to': this.destination.host,
      'push-ns': 'mirror',
      username: USERNAME,
      password: PASSWORD,
      'ca-file': AUTHORITY_FILE,
      retry: '2',
      'retry-interval': '10ms',
    };
  }
}
