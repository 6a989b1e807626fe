import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { made } from './lies.ts';
import { type ProgramCost, programCost } from './program-cost.ts';
import { inFolder } from './workplace.ts';
import { LONG_LIST, type WrongShape, wrongShapes } from './wrong-shapes.ts';

/** What a run took that got a wrong answer. */
export interface ShapeCost extends ProgramCost {
  /** Of the answer as it is when it was unpacked, in MiB. */
  readonly size: number;
}

const MEBIBYTE = 1024 * 1024;
const REPOSITORY = 'app';
/** For all that is held, of which an answer and its text are the most. */
const HEAP_MEBIBYTES = 256;

/** Mirrors one image, and answers one kind of questions by a wrong answer; by none to learn what the rest takes. */
export async function shapeCost(shape: WrongShape | undefined, signal?: AbortSignal): Promise<ShapeCost> {
  await using source = await startRegistry({ access: shape?.kind === 'token' ? TOKENS : PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  seedImage(source.storage, REPOSITORY, { tags: ['v1'] });
  let size = shape?.unpacked ?? 0;
  if (shape !== undefined) {
    const { status = 200, headers = {}, kind, pieces } = shape;
    const counted = function* (): Generator<Buffer> {
      let sent = 0;
      for (const piece of pieces()) {
        sent += piece.length;
        size = Math.max(size, sent);
        yield piece;
      }
    };
    source.fail({
      match: { kind },
      times: Number.POSITIVE_INFINITY,
      fault: made(counted, { status, headers: () => headers }),
    });
  }
  const cost = await inFolder(async (folder) => {
    const set = join(folder, 'image_set.json');
    writeFileSync(
      set,
      JSON.stringify(shape?.kind === 'catalog' ? { prefixes: [''] } : { names: [REPOSITORY] }),
    );
    const line = [
      ...['sync', '--source', source.host, '--push-to', destination.host, '--push-ns', 'keel'],
      ...['--image-set', set, '--db', join(folder, 'state'), '--retry', '1', ...(shape?.flags ?? [])],
    ];
    return await programCost('synctl', line, {
      folder,
      login: destination.login,
      heap: HEAP_MEBIBYTES,
      signal,
    });
  });
  return { ...cost, size: size / MEBIBYTE };
}

/** What an answer may take of memory, as a multiple of its size, and for how many milliseconds nothing else may be done. */
const MOST_TIMES = 10;
const LONGEST_HOLD = 200;

/** Measures all wrong answers whose names hold a text, and prints what each took. Returns how many took too much. */
export async function printShapeCosts(
  only: string,
): Promise<{ readonly tried: number; readonly broken: number }> {
  const chosen = wrongShapes(LONG_LIST).filter(({ name }) => name.includes(only));
  if (chosen.length === 0) return { tried: 0, broken: 0 };
  const { memory: usual } = await shapeCost(undefined);
  console.log(
    `${chosen.length} answers of the wrong shape, to a synctl that takes ${Math.round(usual)} MiB without`,
  );
  let broken = 0;
  for (const shape of chosen) {
    const { size, memory, hold, milliseconds, told } = await shapeCost(shape);
    const times = Math.max(0, memory - usual) / size;
    const isBounded = told.includes(shape.told) && times <= MOST_TIMES && hold <= LONGEST_HOLD;
    if (!isBounded) broken += 1;
    const numbers = [
      `${size.toFixed(1)} MiB`.padStart(9),
      `${(milliseconds / 1000).toFixed(1)} s`.padStart(7),
      `held ${Math.round(hold)} ms`.padStart(11),
      `memory ${times.toFixed(1)} times`.padStart(18),
    ];
    console.log(`${isBounded ? 'holds ' : 'BROKEN'} ${numbers.join(' ')}  ${shape.name}`);
    if (!told.includes(shape.told)) console.error(told);
  }
  return { tried: chosen.length, broken };
}
