import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packerOfFile, runIn, type Said } from '../../support/built-packer.ts';
import { FileServer } from '../../support/file-server.ts';
import { LOOPBACK } from '../../support/test-authority.ts';
import {
  archiveOf,
  GENUINE,
  MAKER_ATTACKS,
  type MakerAttack,
  release,
  type Shelf,
  sum,
} from './maker-attacks.ts';
import { brokenPromises } from './promise.ts';

const NAME = 'kube-1.37.1-amd64.tar.gz';
const nameOf = (attack: MakerAttack): string => `tool-${MAKER_ATTACKS.indexOf(attack) + 10}`;

const packer = packerOfFile();

/** A component as keel-package.json tells of it. */
interface PackedComponent {
  readonly name: string;
  readonly sha256: string;
  readonly check: { readonly kind: string };
}

interface Packing {
  readonly said: Said;
  /** Undefined where there is no package. */
  readonly components: readonly PackedComponent[] | undefined;
  readonly bytes: Buffer | undefined;
}

/** A web server with a download for each attack. */
class World implements AsyncDisposable {
  readonly plain: FileServer;
  readonly #web: FileServer;
  readonly #folder = mkdtempSync(join(tmpdir(), 'keel-hostile-'));
  readonly #archive: Buffer;

  private constructor(web: FileServer, plain: FileServer, archive: Buffer) {
    this.#web = web;
    this.plain = plain;
    this.#archive = archive;
    for (const attack of MAKER_ATTACKS) release(this.shelf(attack), this.genuine(attack));
  }

  static async open(): Promise<World> {
    const archive = await archiveOf();
    return new World(await FileServer.start(LOOPBACK), await FileServer.start(), archive);
  }

  shelf(attack: MakerAttack): Shelf {
    return {
      web: this.#web,
      plain: this.plain,
      path: `/${nameOf(attack)}/tool${attack.isArchive === true ? '.tar.gz' : ''}`,
    };
  }

  genuine({ isArchive }: MakerAttack): Buffer {
    return isArchive === true ? this.#archive : GENUINE;
  }

  async bend(attacks: readonly MakerAttack[]): Promise<void> {
    await Promise.all(attacks.map((attack) => attack.bend(this.shelf(attack))));
  }

  /** Packs the downloads of some attacks. */
  async pack(name: string, mode: string, attacks: readonly MakerAttack[], lock?: string): Promise<Packing> {
    const components = attacks.map((attack) => {
      const { sha256, isArchive } = attack;
      const pin = sha256 === 'genuine' ? sum(this.genuine(attack)) : sha256;
      return {
        name: nameOf(attack),
        tag: '1.0.0',
        uri: `${this.#web.origin}${this.shelf(attack).path}`,
        path: `tools/${nameOf(attack)}${isArchive === true ? '/' : ''}`,
        ...(pin === undefined ? {} : { sha256: pin }),
      };
    });
    const own = join(this.#folder, name);
    const versions = `${own}.json`;
    writeFileSync(versions, JSON.stringify({ arch: 'amd64', images: [], components }));
    const said = await runIn(this.#folder, packer.program, [
      ...['--kube-version', '1.37.1', '--version-config', versions, '--retry', '1', '--output', own],
      ...['--image-output', join(own, 'images'), '--download-output', join(own, 'downloads')],
      ...['--verify-signatures', mode, ...(lock === undefined ? [] : ['--lock', lock])],
    ]);
    const file = join(own, NAME);
    if (!existsSync(file)) return { said, components: undefined, bytes: undefined };
    const text = execFileSync('tar', ['-xzOf', file, 'keel-package.json'], { encoding: 'utf8' });
    const told: { components: PackedComponent[] } = JSON.parse(text);
    return { said, components: told.components, bytes: readFileSync(file) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#web, this.plain].map((server) => server[Symbol.asyncDispose]()));
    rmSync(this.#folder, { recursive: true });
  }
}

test('each attack is one that the documents speak of', () => {
  expect(brokenPromises(MAKER_ATTACKS)).toEqual([]);
});

describe.each(['off', 'require'])('a hostile maker of components, with --verify-signatures %s,', (mode) => {
  let world: World;
  let honest: Packing;
  let hostile: Packing;
  let rest: Packing;

  const isPacked = ({ ends }: MakerAttack): boolean => 'packed' in ends;

  beforeAll(async () => {
    world = await World.open();
    honest = await world.pack('honest', mode, MAKER_ATTACKS);
    await world.bend(MAKER_ATTACKS);
    hostile = await world.pack('hostile', mode, MAKER_ATTACKS);
    rest = await world.pack('rest', mode, MAKER_ATTACKS.filter(isPacked));
  });
  afterAll(() => world[Symbol.asyncDispose]());

  function endingOf({ components }: Packing, attack: MakerAttack): object {
    const component = components?.find(({ name }) => name === nameOf(attack));
    if (component === undefined) return { packed: 'not at all' };
    const isGenuine = component.sha256 === `sha256:${sum(world.genuine(attack))}`;
    return { packed: isGenuine ? 'genuine' : 'offered', check: component.check.kind };
  }

  test('is trusted while it is honest', () => {
    expect(honest.said.code, honest.said.stderr).toBe(0);
    for (const attack of MAKER_ATTACKS) {
      const check = attack.sha256 === 'none' ? 'none' : attack.sha256 === undefined ? 'published' : 'pin';
      expect(endingOf(honest, attack), attack.tries).toEqual({ packed: 'genuine', check });
    }
  });

  test.each(MAKER_ATTACKS)('tries $tries', async (attack) => {
    const { ends } = attack;
    if ('packed' in ends) return expect(endingOf(rest, attack)).toEqual(ends);
    // Archives are opened one after the other, when all downloads are there.
    const isAlone = ends.with === 'archives';
    const { said, components } = isAlone ? await world.pack(nameOf(attack), mode, [attack]) : hostile;
    const about = said.stderr.split('\n').filter((line) => line.includes(nameOf(attack)));
    expect(about.join('\n')).toContain(ends.refused);
    expect([said.code, components]).toEqual([1, undefined]);
  });

  test('is told of where nothing is checked, and nothing is asked of others', () => {
    expect(rest.said.stderr).toContain('"sha256": "none"');
    expect(world.plain.seen).toEqual([]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(hostile.said.stderr).not.toMatch(/[\u001b\u009b\r]|^::/m);
  });
});

test('what was locked is not packed with other content, though its maker changes the checksum too', async () => {
  await using world = await World.open();
  const attacks = MAKER_ATTACKS.filter(({ ends }) => 'packed' in ends && ends.packed === 'offered');
  const lock = join(packer.folder, 'keel.lock.json');
  const first = await world.pack('first', 'off', attacks, lock);
  expect(first.said.code, first.said.stderr).toBe(0);
  await world.bend(attacks);
  const { said, components } = await world.pack('again', 'off', attacks, lock);
  expect([said.code, components]).toEqual([1, undefined]);
  for (const attack of attacks)
    expect(said.stderr).toMatch(new RegExp(`${nameOf(attack)}.*expected sha256:`));
});
