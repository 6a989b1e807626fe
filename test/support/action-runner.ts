import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { readActionMetadata } from './action-metadata.ts';
import { type CommandFileContents, CommandFiles } from './command-files.ts';
import { processesIn, witnessed } from './processes.ts';
import {
  type Finding,
  findSecrets,
  findSecretsInFiles,
  type Secrets,
  withoutMasks,
} from './secret-search.ts';
import { type Leak, WorkflowLog } from './workflow-log.ts';

/** What a job gives to all its steps. */
export interface JobOptions {
  /** An empty folder; workspace, temporary files and tool cache are created in it. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Values that the workflow takes from its secrets. */
  readonly secrets?: readonly string[];
  /** The Node binary that runs actions. */
  readonly node?: string;
  /** Milliseconds the runner waits after SIGINT, and after SIGTERM, before it goes on. */
  readonly patience?: { readonly interrupt: number; readonly terminate: number };
}

export interface StepOptions {
  /** The folder in which an action.yml stands. */
  readonly action: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Cancels the job as soon as this holds for the log so far. */
  readonly cancelWhen?: (log: string) => boolean;
}

/** What came of one process of an action. */
export interface ProcessResult extends CommandFileContents {
  readonly exitCode: number | null;
  readonly log: WorkflowLog;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
  /** The signals it took until it ended, when it was cancelled. */
  readonly signals: readonly NodeJS.Signals[];
  /** Milliseconds from the cancellation to its end. */
  readonly cancelledFor: number | undefined;
  /** Secrets that stood in the log, the outputs, the state, the environment or the summary. */
  readonly leaks: readonly Leak[];
}

interface Post {
  readonly entry: string;
  readonly condition: string;
  readonly env: Readonly<Record<string, string>>;
}

const RUNNER_PATIENCE = { interrupt: 7500, terminate: 2500 };
/** For actions that end when they are asked to, and on a slow machine take longer than a runner waits. */
export const LONG_PATIENCE = { interrupt: 60_000, terminate: 60_000 };
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Runs JavaScript actions as GitHub's runner does: inputs and defaults from action.yml, a clean environment, the five
 * command files, main in the order of the steps and post in the reverse one, and its way of cancelling.
 */
export class Job {
  readonly workspace: string;
  readonly temp: string;
  status: 'success' | 'failure' | 'cancelled' = 'success';
  readonly #options: JobOptions;
  readonly #posts: Post[] = [];
  readonly #exported: Record<string, string> = {};
  readonly #printed: string[] = [];
  readonly #paths: string[] = [];

  private constructor(options: JobOptions) {
    this.#options = options;
    this.workspace = path.join(options.folder, 'workspace');
    this.temp = path.join(options.folder, 'temp');
  }

  static async start(options: JobOptions): Promise<Job> {
    const job = new Job(options);
    await mkdir(job.workspace, { recursive: true });
    await mkdir(job.temp, { recursive: true });
    await writeFile(path.join(job.temp, 'event.json'), '{}');
    return job;
  }

  /** Runs the main part of an action and remembers its post part for `finish`. */
  async step(options: StepOptions): Promise<ProcessResult> {
    const { inputs, runs } = await readActionMetadata(path.join(options.action, 'action.yml'));
    const defaults = Object.entries(inputs).map(([name, input]) => [name, input.default ?? '']);
    const given: Record<string, string> = { ...Object.fromEntries(defaults), ...options.with };
    const env: Record<string, string> = { ...options.env };
    for (const [name, value] of Object.entries(given)) {
      env[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] = value;
    }
    const result = await this.#run(path.join(options.action, runs.main), env, options.cancelWhen);
    if (result.cancelledFor !== undefined) this.status = 'cancelled';
    else if (result.exitCode !== 0) this.status = 'failure';
    if (runs.post !== undefined) {
      const state = Object.entries(result.state).map(([name, value]) => [`STATE_${name}`, value]);
      this.#posts.push({
        entry: path.join(options.action, runs.post),
        condition: runs['post-if'] ?? 'always()',
        env: { ...env, ...Object.fromEntries(state) },
      });
    }
    return result;
  }

  /** Runs the post parts whose condition holds, the last step's first. */
  async finish(): Promise<ProcessResult[]> {
    const results: ProcessResult[] = [];
    for (const { entry, condition, env } of this.#posts.toReversed()) {
      if (!holds(condition, this.status)) continue;
      const result = await this.#run(entry, env);
      if (result.exitCode !== 0 && this.status === 'success') this.status = 'failure';
      results.push(result);
    }
    return results;
  }

  /** Returns the arguments of the action's processes and of all that they started, one a line. */
  get processes(): string[] {
    return processesIn(this.#witness);
  }

  /**
   * Returns every secret that the job left where someone could see it: in its log (debug lines too, masks excepted), in
   * any file of its folders, which are all that steps leave for the runner, and in the list of processes.
   */
  findSecrets(secrets: Secrets): Finding[] {
    return [
      ...this.#printed.flatMap((printed) => findSecrets('the log', withoutMasks(printed), secrets)),
      ...findSecrets('the list of processes', this.processes.join('\n'), secrets),
      ...findSecretsInFiles(this.#options.folder, secrets),
    ];
  }

  get #witness(): string {
    return path.join(this.#options.folder, 'processes.txt');
  }

  async #run(
    entry: string,
    env: Readonly<Record<string, string>>,
    cancelWhen?: StepOptions['cancelWhen'],
  ): Promise<ProcessResult> {
    const files = await CommandFiles.create(this.temp);
    const started = performance.now();
    const child = spawn(this.#options.node ?? process.execPath, [entry], {
      cwd: this.workspace,
      env: { ...this.#environment(), ...this.#exported, ...env, ...files.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const log = new WorkflowLog(this.#options.secrets);
    const printed = { stdout: '', stderr: '' };
    const signals: NodeJS.Signals[] = [];
    let cancelledAt: number | undefined;
    let next: NodeJS.Timeout | undefined;
    const send = (signal: NodeJS.Signals): void => {
      signals.push(signal);
      const { pid } = child;
      if (pid === undefined) return;
      process.kill(signal === 'SIGKILL' ? -pid : pid, signal);
    };
    const cancel = (): void => {
      const { interrupt, terminate } = this.#options.patience ?? RUNNER_PATIENCE;
      cancelledAt = performance.now();
      send('SIGINT');
      next = setTimeout(() => {
        send('SIGTERM');
        next = setTimeout(() => send('SIGKILL'), terminate);
      }, interrupt);
    };
    for (const name of ['stdout', 'stderr'] as const) {
      createInterface({ input: child[name] }).on('line', (line) => {
        printed[name] += `${line}\n`;
        log.add(line);
        if (cancelledAt === undefined && cancelWhen?.(log.text) === true) cancel();
      });
    }
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => clearTimeout(next));
      child.once('close', resolve);
    });
    const ended = performance.now();
    this.#printed.push(printed.stdout, printed.stderr);
    const contents = await files.read();
    Object.assign(this.#exported, contents.env);
    this.#paths.unshift(...contents.path);
    return {
      ...contents,
      ...printed,
      exitCode,
      log,
      signals,
      milliseconds: ended - started,
      cancelledFor: cancelledAt === undefined ? undefined : ended - cancelledAt,
      leaks: [...log.leaks, ...leaksIn(contents, [...(this.#options.secrets ?? []), ...log.masks])],
    };
  }

  #environment(): Record<string, string> {
    return {
      PATH: [...this.#paths, SYSTEM_PATH].join(':'),
      HOME: homedir(),
      LANG: 'C.UTF-8',
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_ACTION: '__self',
      GITHUB_ACTOR: 'octocat',
      GITHUB_API_URL: 'https://api.github.com',
      GITHUB_EVENT_NAME: 'schedule',
      GITHUB_EVENT_PATH: path.join(this.temp, 'event.json'),
      GITHUB_GRAPHQL_URL: 'https://api.github.com/graphql',
      GITHUB_JOB: 'sync',
      GITHUB_REF: 'refs/heads/main',
      GITHUB_REF_NAME: 'main',
      GITHUB_REPOSITORY: 'octocat/mirror',
      GITHUB_REPOSITORY_OWNER: 'octocat',
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_RUN_ID: '1000',
      GITHUB_RUN_NUMBER: '10',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_SHA: '0'.repeat(40),
      GITHUB_WORKFLOW: 'sync',
      GITHUB_WORKSPACE: this.workspace,
      RUNNER_ARCH: 'X64',
      RUNNER_ENVIRONMENT: 'github-hosted',
      RUNNER_NAME: 'stand-in',
      RUNNER_OS: 'Linux',
      RUNNER_TEMP: this.temp,
      RUNNER_TOOL_CACHE: path.join(this.#options.folder, 'tools'),
      ...witnessed(this.#witness),
      ...this.#options.env,
    };
  }
}

function holds(condition: string, status: Job['status']): boolean {
  switch (condition.replaceAll(' ', '')) {
    case 'always()':
      return true;
    case 'success()':
      return status === 'success';
    case 'failure()':
      return status === 'failure';
    case 'cancelled()':
      return status === 'cancelled';
    case '!cancelled()':
      return status !== 'cancelled';
    default:
      throw new Error(`the stand-in for the runner does not know post-if: ${condition}`);
  }
}

function leaksIn(contents: CommandFileContents, secrets: readonly string[]): Leak[] {
  const places = [
    ...Object.entries(contents.outputs).map(([name, text]) => ({ where: `output ${name}`, text })),
    ...Object.entries(contents.state).map(([name, text]) => ({ where: `state ${name}`, text })),
    ...Object.entries(contents.env).map(([name, text]) => ({ where: `variable ${name}`, text })),
    { where: 'summary', text: contents.summary },
  ];
  return places.flatMap(({ where, text }) =>
    secrets.filter((secret) => secret !== '' && text.includes(secret)).map((secret) => ({ secret, where })),
  );
}
