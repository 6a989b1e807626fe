import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Report } from '../../../src/sync/report/report.ts';
import { readReport } from '../../../src/sync/report/report-file.ts';
import { bundledAction } from '../../support/action-bundle.ts';
import { Job, LONG_PATIENCE, type ProcessResult } from '../../support/action-runner.ts';
import { runIn, type Said } from '../../support/built-packer.ts';
import { PUBLIC_TOKENS, TOKENS } from '../../support/registry/access.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';
import { TestSigstore } from '../../support/sigstore/sigstore.ts';
import { AUTHORITY_FILE } from '../../support/test-authority.ts';
import { loginVariables } from '../../support/token-server.ts';
import type { SourceAttack } from './source-attack.ts';
import { ME, Stage, TAG } from './stage.ts';

const SYNCTL = resolve('build/src/synctl.js');
const READER = { username: 'reader', password: 'password of the reader' };
export const MODES = ['off', 'warn', 'require'] as const;
export type Mode = (typeof MODES)[number];

/** A run of synctl, and where it copied to. */
export interface Night {
  readonly said: Said;
  readonly report: Report;
  readonly destination: TestRegistry;
  /** The name of its state. */
  readonly database: string;
}

/** What is tried, and whose signatures count at that source. */
interface Scene {
  readonly attacks: readonly SourceAttack[];
  readonly policies: (host: string) => object;
  readonly movedTags?: (host: string) => object;
}

/** What was there before, and what is done to a destination before it is used. */
interface Circumstances {
  readonly before?: Night;
  readonly prepare?: (destination: TestRegistry) => void;
}

/** A source with an image for each attack, so that one run meets all; and strangers that it may name. */
export class SourceWorld implements AsyncDisposable {
  readonly stages: ReadonlyMap<SourceAttack, Stage>;
  readonly source: TestRegistry;
  readonly strangers: { readonly elsewhere: TestRegistry; readonly plain: TestRegistry };
  readonly #folder = mkdtempSync(join(tmpdir(), 'keel-hostile-'));
  readonly #trustedRoot: string;
  readonly #registries: TestRegistry[];

  private constructor(
    registries: readonly [TestRegistry, TestRegistry, TestRegistry],
    sigstore: TestSigstore,
    { attacks, policies, movedTags = () => ({}) }: Scene,
  ) {
    const [source, elsewhere, plain] = registries;
    this.source = source;
    this.strangers = { elsewhere, plain };
    this.#registries = [...registries];
    this.#trustedRoot = sigstore.writeTrustedRoot(this.#folder);
    this.stages = new Map(
      attacks.map((attack, index) => {
        const repository = `${attack.path ?? ''}image-${index + 10}`;
        const { tag = TAG, seed } = attack;
        const parts = { registry: source, repository, tag, seed, strangers: this.strangers, sigstore };
        return [attack, new Stage(parts)];
      }),
    );
    writeFileSync(
      join(this.#folder, 'image_set.json'),
      JSON.stringify({
        names: [...this.stages.values()].map(({ repository }) => repository),
        signatures: policies(source.host),
        movedTags: movedTags(source.host),
      }),
    );
  }

  static async open(scene: Scene): Promise<SourceWorld> {
    const users = { [READER.username]: READER.password };
    const registries = await Promise.all([
      startRegistry({ access: { ...PUBLIC_TOKENS, users }, listing: { style: 'google' } }),
      startRegistry(),
      startRegistry({ tls: false }),
    ]);
    for (const stranger of registries.slice(1)) {
      stranger.fail({
        times: Number.POSITIVE_INFINITY,
        fault: { kind: 'status', status: 200, body: 'no layer' },
      });
    }
    const world = new SourceWorld(registries, await TestSigstore.start(), scene);
    for (const [{ signer = ME }, stage] of world.stages) await stage.sign(stage.genuine, { by: signer });
    return world;
  }

  /** The stage of an attack. */
  stage(attack: SourceAttack): Stage {
    const stage = this.stages.get(attack);
    if (stage === undefined) throw new Error(`nothing is set up for ${attack.tries}`);
    return stage;
  }

  /** Has the source be hostile from now on. */
  async bend(): Promise<void> {
    await Promise.all([...this.stages].map(([{ bend }, stage]) => bend(stage)));
  }

  /** Mirrors all, into a registry that has nothing yet and without a state unless an earlier night is given. */
  async night(mode: Mode, { before, prepare }: Circumstances = {}): Promise<Night> {
    const destination = before?.destination ?? (await startRegistry({ access: TOKENS }));
    if (before === undefined) this.#registries.push(destination);
    prepare?.(destination);
    const database = before?.database ?? `${this.#registries.length}.db`;
    const report = `${database}.json`;
    const said = await runIn(
      this.#folder,
      process.execPath,
      [
        ...[SYNCTL, 'sync', '--source', this.source.host, '--push-to', destination.host, '--push-ns', 'keel'],
        ...['--db', database, '--report', report, '--retry', '2', '--retry-interval', '5ms'],
        ...['--verify-signatures', mode, ...(mode === 'off' ? [] : ['--trusted-root', this.#trustedRoot])],
      ],
      {
        ...(destination.login && loginVariables(destination.login)),
        KEEL_REGISTRY_LOGINS: `${this.source.host} ${READER.username} ${READER.password}`,
      },
    );
    return { said, report: readReport(join(this.#folder, report)), destination, database };
  }

  /** The same by action-sync, in a job of a workflow without a cache. */
  async job(mode: Mode): Promise<Night & { readonly main: ProcessResult }> {
    const destination = await startRegistry({ access: TOKENS });
    this.#registries.push(destination);
    const { username = '', password = '' } = destination.login ?? {};
    const folder = mkdtempSync(join(this.#folder, 'job-'));
    const logins = `${this.source.host} ${READER.username} ${READER.password}`;
    const job = await Job.start({ folder, secrets: [password, READER.password], patience: LONG_PATIENCE });
    const main = await job.step({
      action: bundledAction('action-sync'),
      with: {
        ...{ source: this.source.host, 'push-to': destination.host, 'push-ns': 'keel', username, password },
        ...{ 'registry-logins': logins, 'ca-file': AUTHORITY_FILE, retry: '2', 'retry-interval': '5ms' },
        ...{ 'image-set': join(this.#folder, 'image_set.json'), 'verify-signatures': mode },
        'trusted-root': this.#trustedRoot,
      },
    });
    await job.finish();
    const report = readReport(resolve(job.workspace, main.outputs['report'] ?? ''));
    const said = { code: main.exitCode, stdout: main.stdout, stderr: main.stderr };
    return { said, report, destination, database: '', main };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#registries.map((registry) => registry.close()));
    rmSync(this.#folder, { recursive: true });
  }
}

/** Returns what is below a repository of the destination. */
export function held({ destination }: Night, { repository, tag, genuine }: Stage) {
  const stored = destination.storage.repositories.get(`keel/${basename(repository)}`);
  const digest = stored?.tags.get(tag);
  return {
    arrived: digest === undefined ? undefined : digest === genuine.digest ? 'genuine' : 'offered',
    parts: [...(stored?.manifests.keys() ?? []), ...(stored?.blobs ?? [])],
  };
}

/** Returns what became of an image as the tables of attacks say it. */
export function endingOf(night: Night, stage: Stage): object {
  const image = night.report.images.find(({ source }) => source.split(':', 2).join(':') === stage.name);
  const { arrived } = held(night, stage);
  if (image === undefined && arrived === undefined) return { hidden: true };
  const { moved, signature, layersLeftOut } = image ?? {};
  const told = moved && {
    moved: moved.kind,
    ...(moved.isOlder === undefined ? {} : { isOlder: moved.isOlder }),
  };
  if (image?.outcome === 'failed')
    return { failed: image.reason?.code, ...(arrived && { arrived }), ...told };
  return {
    [image?.outcome ?? 'not told']: arrived ?? 'nothing',
    ...(signature && { signature: signature.status }),
    ...(layersLeftOut && { layersLeftOut }),
    ...told,
  };
}
