import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/registry/oci/digest.ts';
import { type Report, readReport } from '../../../src/sync/report/report.ts';
import { runIn, type Said } from '../../support/built-packer.ts';
import { PUBLIC_TOKENS, TOKENS } from '../../support/registry/access.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';
import { TestSigstore } from '../../support/sigstore/sigstore.ts';
import { loginVariables } from '../../support/token-server.ts';
import { brokenPromises } from './promise.ts';
import { SOURCE_ATTACKS } from './source-attacks.ts';
import { ME, Stage, TAG } from './stage.ts';

const SYNCTL = resolve('build/src/synctl.js');
const READER = { username: 'reader', password: 'password of the reader' };
const MODES = ['off', 'warn', 'require'] as const;
type Mode = (typeof MODES)[number];

interface Night {
  readonly said: Said;
  readonly report: Report;
  readonly destination: TestRegistry;
}

/** A source with an image for each attack, so that one run meets all; and strangers that it may name. */
class World {
  readonly stages: readonly Stage[];
  readonly source: TestRegistry;
  readonly strangers: { readonly elsewhere: TestRegistry; readonly plain: TestRegistry };
  readonly #folder = mkdtempSync(join(tmpdir(), 'keel-hostile-'));
  readonly #trustedRoot: string;
  readonly #registries: TestRegistry[];

  private constructor(
    registries: readonly [TestRegistry, TestRegistry, TestRegistry],
    sigstore: TestSigstore,
  ) {
    const [source, elsewhere, plain] = registries;
    this.source = source;
    this.strangers = { elsewhere, plain };
    this.#registries = [...registries];
    this.#trustedRoot = sigstore.writeTrustedRoot(this.#folder);
    this.stages = SOURCE_ATTACKS.map((_, index) => {
      return new Stage({
        registry: source,
        repository: `image-${index + 10}`,
        strangers: this.strangers,
        sigstore,
      });
    });
    writeFileSync(
      join(this.#folder, 'image_set.json'),
      JSON.stringify({
        names: this.stages.map(({ repository }) => repository),
        signatures: { [source.host]: ME },
      }),
    );
  }

  static async open(): Promise<World> {
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
    const world = new World(registries, await TestSigstore.start());
    for (const stage of world.stages) await stage.sign(stage.genuine);
    return world;
  }

  /** Mirrors all into a registry that has nothing yet, without a state. */
  async night(name: string, mode: Mode): Promise<Night> {
    const destination = await startRegistry({ access: TOKENS });
    this.#registries.push(destination);
    const report = `${name}.json`;
    const said = await runIn(
      this.#folder,
      process.execPath,
      [
        ...[SYNCTL, 'sync', '--source', this.source.host, '--push-to', destination.host, '--push-ns', 'keel'],
        ...['--db', `${name}.db`, '--report', report, '--retry', '2', '--retry-interval', '5ms'],
        ...['--verify-signatures', mode, '--trusted-root', this.#trustedRoot],
      ],
      {
        ...(destination.login && loginVariables(destination.login)),
        KEEL_REGISTRY_LOGINS: `${this.source.host} ${READER.username} ${READER.password}`,
      },
    );
    return { said, report: readReport(join(this.#folder, report)), destination };
  }

  async close(): Promise<void> {
    await Promise.all(this.#registries.map((registry) => registry.close()));
    rmSync(this.#folder, { recursive: true });
  }
}

/** Returns what is below a repository of the destination. */
function held({ destination }: Night, { repository }: Stage) {
  const stored = destination.storage.repositories.get(`keel/${repository}`);
  return {
    tag: stored?.tags.get(TAG),
    parts: [...(stored?.manifests.keys() ?? []), ...(stored?.blobs ?? [])],
  };
}

/** Returns what became of an image as the tables of attacks say it. */
function endingOf(night: Night, stage: Stage): object {
  const image = night.report.images.find(
    ({ source }) => source.startsWith(`${stage.name}:`) || source === stage.name,
  );
  const { tag } = held(night, stage);
  if (image === undefined && tag === undefined) return { hidden: true };
  if (image?.outcome === 'failed') return { failed: image.reason?.code, ...(tag && { arrived: tag }) };
  return {
    [image?.outcome ?? 'not told']: tag === stage.genuine.digest ? 'genuine' : 'offered',
    ...(image?.signature && { signature: image.signature.status }),
    ...(image?.layersLeftOut && { layersLeftOut: image.layersLeftOut }),
  };
}

test('each attack is one that the documents speak of', () => {
  expect(brokenPromises(SOURCE_ATTACKS)).toEqual([]);
});

describe.each(MODES)('a hostile source, with --verify-signatures %s,', (mode) => {
  let world: World;
  let honest: Night;
  let hostile: Night;

  beforeAll(async () => {
    world = await World.open();
    honest = await world.night('honest', mode);
    await Promise.all(
      SOURCE_ATTACKS.map(async ({ bend }, index) => {
        const stage = world.stages[index];
        if (stage !== undefined) await bend(stage);
      }),
    );
    hostile = await world.night('hostile', mode);
  });
  afterAll(() => world.close());

  test('is trusted while it is honest', () => {
    expect(honest.said.code, honest.said.stderr).toBe(0);
    const signature = mode === 'off' ? {} : { signature: 'verified' };
    for (const stage of world.stages) {
      expect(endingOf(honest, stage)).toEqual({ copied: 'genuine', ...signature });
    }
  });

  test.each(SOURCE_ATTACKS.map((attack, index) => ({ ...attack, index })))(
    'tries $tries',
    ({ ends, index }) => {
      const stage = world.stages[index];
      if (stage === undefined) throw new Error('there is no stage');
      const ending = ends[mode];
      expect(endingOf(hostile, stage)).toEqual(ending);
      // What has to be signed and is not is not even sent.
      const isUnsigned = 'failed' in ending && ending.failed.startsWith('SIGNATURE_');
      if (isUnsigned) expect(held(hostile, stage).parts).toEqual([]);
    },
  );

  test('makes the run red, and is told of each image', () => {
    expect(hostile.said.code, hostile.said.stderr).toBe(1);
    const failed = SOURCE_ATTACKS.filter(({ ends }) => 'failed' in ends[mode]).length;
    const hidden = SOURCE_ATTACKS.filter(({ ends }) => 'hidden' in ends[mode]).length;
    expect(hostile.report.totals).toMatchObject({ total: SOURCE_ATTACKS.length - hidden, failed });
    expect(hostile.report.unmatched).toHaveLength(hidden);
  });

  test('leaves nothing at the destination that is not what its digest says, or that lacks a part', () => {
    const { repositories, contents } = hostile.destination.storage;
    for (const [digest, content] of contents) {
      expect(content.kind === 'bytes' && digestOf(content.bytes)).toBe(digest);
    }
    for (const { manifests, tags, blobs } of repositories.values()) {
      for (const digest of tags.values()) expect(manifests.has(digest)).toBe(true);
      for (const { bytes, digest } of manifests.values()) {
        expect(digestOf(bytes)).toBe(digest);
        const parts = bytes.toString('utf8').matchAll(/"mediaType":"([^"]+)","digest":"([^"]+)"/g);
        for (const [, type = '', part = ''] of parts) {
          if (!type.includes('foreign')) expect([...manifests.keys(), ...blobs]).toContain(part);
        }
      }
    }
  });

  test('learns nothing through others, and says nothing that a terminal or a workflow would obey', () => {
    const { elsewhere, plain } = world.strangers;
    expect(plain.journal.entries).toEqual([]);
    expect(elsewhere.journal.count()).toBeGreaterThan(0);
    expect(elsewhere.journal.filter({ when: ({ headers }) => 'authorization' in headers })).toEqual([]);
    const { stdout, stderr } = hostile.said;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(`${stdout}${stderr}`).not.toMatch(/[\u001b\u009b\r]|^::/m);
  });
});
