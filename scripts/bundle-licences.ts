import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { licenceOf } from './licences.ts';

interface BundledModule {
  readonly nameForCondition?: string | null | undefined;
  readonly modules?: readonly BundledModule[] | undefined;
}

/** A module of a bundle, which may be joined from several (webpack's statistics). */
const moduleShape: z.ZodType<BundledModule> = z.object({
  nameForCondition: z.string().nullish(),
  get modules() {
    return z.array(moduleShape).optional();
  },
});
const statisticsShape = z.object({ modules: z.array(moduleShape) });
const manifestShape = z.object({
  name: z.string(),
  version: z.string(),
  license: z.union([z.string(), z.array(z.string())]).optional(),
});

// A package within a package has a place of its own: node_modules/a/node_modules/b.
const PLACE = /^(?:node_modules\/(?:@[\w.-]+\/)?[\w.-]+\/)+/;
const TEXT_FILE = /^(?:licen[cs]e|copying)(?:[.-]\w+)*$/i;
const LINE = '-'.repeat(80);

/**
 * Returns the text that is distributed with a bundle: the licences of the packages inside, with their texts.
 * `statistics` is what ncc writes with `--stats-out`; its own `--license` leaves out every package whose modules it
 * joins, which are most.
 */
export function bundleLicences(statistics: string): string {
  const { modules } = statisticsShape.parse(JSON.parse(statistics));
  const entries = [...new Set(modules.flatMap(placesOf))].map(describePackage);
  const sorted = new Map(entries.toSorted(([one], [other]) => (one < other ? -1 : 1)));
  return `${[...sorted].map(([id, text]) => `${id}\n${text}`).join(`\n\n${LINE}\n\n`)}\n`;
}

function placesOf({ nameForCondition, modules = [] }: BundledModule): string[] {
  const path = relative('.', nameForCondition ?? '');
  const place = PLACE.exec(path)?.[0];
  return [...(place === undefined ? [] : [place]), ...modules.flatMap(placesOf)];
}

function describePackage(place: string): [id: string, text: string] {
  const { name, version, license } = manifestShape.parse(
    JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')),
  );
  const licence = licenceOf(`${name}@${version}`, [license ?? []].flat().join(' OR '));
  const texts = readdirSync(place)
    .filter((file) => TEXT_FILE.test(file))
    .toSorted()
    .map((file) => readFileSync(join(place, file), 'utf8').replaceAll('\r\n', '\n').trim());
  const text = texts.length === 0 ? 'The package brings no text of its licence.' : texts.join('\n\n');
  return [`${name} ${version}`, `${licence}\n\n${text}`];
}
