import { rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missingPrograms } from '../test/support/programs.ts';
import { type ArchiveFixture, makeFixture } from './archive-fixture.ts';
import type { Case, Contender, Stage } from './case.ts';
import { measure } from './measure.ts';
import type { Sample } from './sample.ts';
import { openScratch } from './scratch.ts';

// Packs the same trees with this project, tar czf and tar | pigz.

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const RUNNER = fileURLToPath(new URL(`./archive-run.${EXTENSION}`, import.meta.url));

/** Returns the cases of writing an archive. */
export function archiveCases(): readonly Case[] {
  return [
    pack('pack-mixed', 'archive of programs and gzip layers, with its sums', ({ all }) => all),
    pack('pack-layers', 'archive of gzip layers alone, with its sums', ({ layers }) => layers),
  ];
}

function commands(tree: string, output: string): readonly [string, string][] {
  const ours = `'${process.execPath}' '${RUNNER}' '${tree}' '${output}'`;
  const pigz = `tar cf - -C '${tree}' . | pigz -p ${availableParallelism()} > '${output}'`;
  return [
    ['keel', ours],
    ['tar czf', `tar czf '${output}' -C '${tree}' .`],
    ...(missingPrograms(['pigz']).length > 0 ? [] : [['tar | pigz', pigz] satisfies [string, string]]),
  ];
}

function pack(id: string, title: string, treeOf: (fixture: ArchiveFixture) => string): Case {
  const open = async (wants: (contender: string) => boolean): Promise<Stage> => {
    const scratch = await openScratch();
    const fixture = await makeFixture(scratch.folder);
    const output = join(scratch.folder, 'package.tar.gz');
    const contenders = commands(treeOf(fixture), output).map(([name, command]): Contender => {
      const run = async (): Promise<Sample> => {
        const { stdout: _, ...cost } = await measure(command);
        const { size } = await stat(output);
        await rm(output);
        return { ...cost, size };
      };
      return { name, run };
    });
    const { programs, layers } = fixture.sizes;
    return {
      contenders: contenders.filter(({ name }) => wants(name)),
      facts: { programBytes: id === 'pack-layers' ? 0 : programs, layerBytes: layers },
      [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
    };
  };
  return { id, part: 'pack', title, open };
}
