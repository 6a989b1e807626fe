import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packerOfFile, runIn, type Said } from '../../support/built-packer.ts';
import { PUBLIC_TOKENS } from '../../support/registry/access.ts';
import type { JournalEntry } from '../../support/registry/journal.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';
import { TestSigstore } from '../../support/sigstore/sigstore.ts';
import { MIRROR_ATTACKS, type MirrorAttack } from './mirror-attacks.ts';
import { brokenPromises } from './promise.ts';
import { ME, Stage, type Strangers, seedGenuine, TAG } from './stage.ts';

const NAME = 'kube-1.37.1-amd64.tar.gz';
const READER = { username: 'reader', password: 'password of the reader' };
/** Where no maker listens. */
const NOWHERE = '127.0.0.1:1';
const MODES = ['off', 'warn', 'require'] as const;
type Mode = (typeof MODES)[number];

const packer = packerOfFile();

/** An image as keel-package.json tells of it. */
interface PackedImage {
  readonly name: string;
  readonly digest: string;
  readonly check: { readonly kind: string; readonly compared?: string };
  readonly signature?: { readonly kind: string };
}

interface Packing {
  readonly said: Said;
  /** Undefined where there is no package. */
  readonly bytes: Buffer | undefined;
  readonly images: ReadonlyMap<string, PackedImage> | undefined;
  /** The repository that the SBOM names for each image, by its name there. */
  readonly repositories: ReadonlyMap<string, string | null>;
}

const nameOf = (attack: MirrorAttack): string => `image-${MIRROR_ATTACKS.indexOf(attack) + 10}`;

/** A mirror and a maker with an image for each attack, and strangers that the mirror may name. */
class World implements AsyncDisposable {
  readonly stages: ReadonlyMap<MirrorAttack, Stage>;
  readonly strangers: Strangers;
  readonly maker: TestRegistry;
  readonly mirror: TestRegistry;
  readonly #folder = mkdtempSync(join(tmpdir(), 'keel-hostile-'));
  readonly #trustedRoot: string;

  private constructor(
    maker: TestRegistry,
    mirror: TestRegistry,
    strangers: Strangers,
    sigstore: TestSigstore,
    attacks: readonly MirrorAttack[],
  ) {
    this.maker = maker;
    this.mirror = mirror;
    this.strangers = strangers;
    this.#trustedRoot = sigstore.writeTrustedRoot(this.#folder);
    this.stages = new Map(
      attacks.map((attack) => {
        const name = nameOf(attack);
        const repository = `keel/${name}`;
        seedGenuine(maker, name, { seed: repository });
        const host = attack.isWalled === true ? NOWHERE : maker.host;
        const parts = { registry: mirror, repository, name: `${host}/${name}`, strangers, sigstore };
        return [attack, new Stage(parts)];
      }),
    );
  }

  static async open(attacks: readonly MirrorAttack[] = MIRROR_ATTACKS): Promise<World> {
    const users = { [READER.username]: READER.password };
    const [maker, mirror, elsewhere, plain] = await Promise.all([
      startRegistry({ access: PUBLIC_TOKENS }),
      startRegistry({ access: { ...PUBLIC_TOKENS, users } }),
      startRegistry(),
      startRegistry({ tls: false }),
    ]);
    elsewhere.fail({
      times: Number.POSITIVE_INFINITY,
      fault: { kind: 'status', status: 200, body: 'no layer' },
    });
    const world = new World(maker, mirror, { elsewhere, plain }, await TestSigstore.start(), attacks);
    for (const [attack, stage] of world.stages) {
      await stage.sign(stage.genuine);
      await stage.sign(stage.genuine, { at: { registry: maker, repository: nameOf(attack) } });
    }
    return world;
  }

  stage(attack: MirrorAttack): Stage {
    const stage = this.stages.get(attack);
    if (stage === undefined) throw new Error(`nothing is set up for ${attack.tries}`);
    return stage;
  }

  /** Carries out attacks while their images are packed. */
  async attack(name: string, mode: Mode, attacks: readonly MirrorAttack[]): Promise<Packing> {
    await Promise.all(attacks.map((attack) => attack.bend(this.stage(attack))));
    return this.pack(name, mode, attacks);
  }

  /** Packs the images of some attacks into a folder of its own. */
  async pack(name: string, mode: Mode, attacks: readonly MirrorAttack[], lock?: string): Promise<Packing> {
    const images = attacks.map((attack) => {
      const { name: image, genuine } = this.stage(attack);
      const pin = attack.isPinned === true ? `@${genuine.digest}` : '';
      return { name: nameOf(attack), tag: TAG, image: `${image}${pin}` };
    });
    const signatures = { [this.maker.host]: ME, [NOWHERE]: ME };
    const versions = join(this.#folder, `${name}.json`);
    writeFileSync(versions, JSON.stringify({ arch: 'amd64', images, components: [], signatures }));
    const own = join(this.#folder, name);
    const said = await runIn(
      this.#folder,
      packer.program,
      [
        ...['--kube-version', '1.37.1', '--image-source', `${this.mirror.host}/keel`, '--retry', '1'],
        ...['--version-config', versions, '--output', own, '--image-output', join(own, 'images')],
        ...['--download-output', own, '--verify-signatures', mode],
        ...(mode === 'off' ? [] : ['--trusted-root', this.#trustedRoot]),
        ...(lock === undefined ? [] : ['--lock', lock]),
      ],
      { KEEL_REGISTRY_LOGINS: `${this.mirror.host} ${READER.username} ${READER.password}` },
    );
    const file = join(own, NAME);
    if (!existsSync(file)) return { said, bytes: undefined, images: undefined, repositories: new Map() };
    const read = (path: string) =>
      JSON.parse(execFileSync('tar', ['-xzOf', file, path], { encoding: 'utf8' }));
    const told: { images: PackedImage[] } = read('keel-package.json');
    const { packages }: { packages: SpdxPackage[] } = read('sbom.spdx.json');
    return {
      said,
      bytes: readFileSync(file),
      images: new Map(told.images.map((image) => [image.name, image])),
      repositories: new Map(packages.map((image) => [image.SPDXID, repositoryOf(image)])),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { elsewhere, plain } = this.strangers;
    await Promise.all([this.maker, this.mirror, elsewhere, plain].map((registry) => registry.close()));
    rmSync(this.#folder, { recursive: true });
  }
}

interface SpdxPackage {
  readonly SPDXID: string;
  readonly externalRefs?: readonly { readonly referenceLocator: string }[];
}

function repositoryOf({ externalRefs: [reference] = [] }: SpdxPackage): string | null {
  return reference === undefined
    ? null
    : new URL(reference.referenceLocator).searchParams.get('repository_url');
}

test('each attack is one that the documents speak of', () => {
  expect(brokenPromises(MIRROR_ATTACKS)).toEqual([]);
});

describe.each(MODES)('a hostile mirror, with --verify-signatures %s,', (mode) => {
  let world: World;
  let honest: Packing;
  /** A failure before layers are fetched hides those of layers, and any of them what would be packed. */
  let hostile: { readonly all: Packing; readonly late: Packing; readonly last: Packing };

  beforeAll(async () => {
    world = await World.open();
    honest = await world.pack('honest', mode, MIRROR_ATTACKS);
    const late = MIRROR_ATTACKS.filter(({ ends }) => 'packed' in ends[mode] || ends[mode].with === 'layers');
    hostile = {
      all: await world.attack('all', mode, MIRROR_ATTACKS),
      late: await world.attack('late', mode, late),
      last: await world.attack(
        'last',
        mode,
        late.filter(({ ends }) => 'packed' in ends[mode]),
      ),
    };
  });
  afterAll(() => world[Symbol.asyncDispose]());

  function endingOf({ images, repositories }: Packing, attack: MirrorAttack): object {
    const image = images?.get(nameOf(attack));
    if (image === undefined) return { packed: 'not at all' };
    const { kind, compared } = image.check;
    // The SBOM names the maker only where it is known to have the very digest.
    const stage = world.stage(attack);
    const isSigned = image.signature?.kind === 'verified';
    const isAtMaker = isSigned || kind === 'pin' || (kind === 'upstream' && compared === undefined);
    expect(repositories.get(`SPDXRef-image-${image.name}-${TAG}`)).toBe(
      isAtMaker ? stage.name : `${world.mirror.host}/${stage.repository}`,
    );
    return {
      packed: image.digest === stage.child.digest ? 'genuine' : 'offered',
      check: compared === undefined ? kind : `${kind}, ${compared}`,
      ...(image.signature && { signature: image.signature.kind }),
    };
  }

  test('is trusted while it is honest', () => {
    expect(honest.said.code, honest.said.stderr).toBe(0);
    const signature = mode === 'off' ? {} : { signature: 'verified' };
    for (const attack of MIRROR_ATTACKS) {
      const check = attack.isPinned === true ? 'pin' : attack.isWalled === true ? 'mirror-only' : 'upstream';
      expect(endingOf(honest, attack), attack.tries).toEqual({ packed: 'genuine', check, ...signature });
    }
  });

  test.each(MIRROR_ATTACKS)('tries $tries', (attack) => {
    const ending = attack.ends[mode];
    expect(world.stage(attack).isMet).toBe(true);
    if ('packed' in ending) return expect(endingOf(hostile.last, attack)).toEqual(ending);
    const { said, images } = ending.with === 'layers' ? hostile.late : hostile.all;
    const subject = ending.of === 'registry' ? world.mirror.host : nameOf(attack);
    const about = said.stderr
      .split('\n')
      .filter((line) => line.split(': ').slice(0, 2).join().includes(subject));
    expect(about.join('\n')).toContain(ending.refused);
    expect([said.code, images]).toEqual([1, undefined]);
  });

  test('learns nothing through others, and says nothing that a terminal or a workflow would obey', () => {
    const { elsewhere, plain } = world.strangers;
    expect(plain.journal.entries).toEqual([]);
    expect(elsewhere.journal.count()).toBeGreaterThan(0);
    expect(elsewhere.journal.filter({ when: ({ headers }) => 'authorization' in headers })).toEqual([]);
    const told = [honest, ...Object.values(hostile)]
      .map(({ said }) => `${said.stdout}${said.stderr}`)
      .join('');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(told).not.toMatch(/[\u001b\u009b\r]|^::/m);
  });
});

test('another image is the error, also where it is found after its signature was missed', async () => {
  const attack = MIRROR_ATTACKS.find(
    ({ tries }) => tries === 'the genuine configuration with one layer more',
  );
  if (attack === undefined) throw new Error('there is no such attack');
  await using world = await World.open([attack]);
  const missed = Promise.withResolvers<void>();
  const isOfSignature = ({ reference }: JournalEntry): boolean => {
    const is = reference.startsWith('sha256-');
    if (is) missed.resolve();
    return is;
  };
  world.maker.fail({
    match: { when: (entry) => !isOfSignature(entry) && entry.kind.startsWith('manifest') },
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'hold', until: missed.promise },
  });
  const { said } = await world.attack('slow', 'require', [attack]);
  expect(said.stderr).toContain('it has the same configuration but different layers');
  expect(said.code).toBe(1);
});

test('what was locked is packed again, to the byte, whatever a mirror has under its tags now', async () => {
  const attacks = MIRROR_ATTACKS.filter(({ ends }) => 'packed' in ends.off && ends.off.packed === 'offered');
  await using world = await World.open(attacks);
  const lock = join(packer.folder, 'keel.lock.json');
  await Promise.all(attacks.map((attack) => attack.bend(world.stage(attack))));
  const first = await world.pack('first', 'off', attacks, lock);
  expect(first.said.stdout).toContain('and layers that unpack to');
  for (const stage of world.stages.values()) stage.forge({ seed: 'forged later' });
  const again = await world.pack('again', 'off', attacks, lock);
  expect([again.said.code, again.said.stderr]).toEqual([0, first.said.stderr]);
  expect(again.bytes?.equals(first.bytes ?? Buffer.alloc(0))).toBe(true);
});
