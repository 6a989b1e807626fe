import type { Flag } from '../../config/flags/flag.ts';
import { type FlagSource, flagText } from '../../config/flags/flag-source.ts';
import type { FlagParser } from '../../config/flags/flag-value.ts';
import { parsePath } from '../../config/flags/registry-flags.ts';
import type { ReportedFailure } from '../../config/reported-failure.ts';
import { parseHost } from '../../registry/oci/reference.ts';
import { SYNC_FLAGS } from '../flags.ts';
import { parseSyncSettings } from '../settings.ts';
import { parseShard } from '../shard.ts';
import { countImages, type Report, type ReportHead, reportHead } from './report.ts';

/** Returns the report of a run that could not start. `started` is when it was tried. */
export function refusedReport(
  head: ReportHead,
  failures: readonly ReportedFailure[],
  { started, ended }: { readonly started: Date; readonly ended: Date },
): Report {
  return {
    ...head,
    started: started.toISOString(),
    ended: ended.toISOString(),
    stateRestored: false,
    failures: failures.map(({ code, about, message, hint, place }) => ({
      code,
      about,
      message,
      hint,
      place,
    })),
    totals: countImages([]),
    unmatched: [],
    warnings: [],
    requests: [],
    images: [],
  };
}

/**
 * Returns the head of the report of a run whose flags are wrong: its route and shard as far as they can be read, and
 * defaults. What cannot be read may hold a password, and is left out.
 */
export function headOfWrongFlags(from: FlagSource, version: string): ReportHead {
  const defaults = parseSyncSettings({ ...from, values: new Map(), environment: {}, operands: [] });
  if (!defaults.ok) throw new TypeError('the defaults of the flags are wrong');
  const read = <T>(name: string, parser: FlagParser<T>): T | undefined => {
    const text = textOf(name, from) ?? '';
    try {
      return text === '' ? undefined : parser(text, name);
    } catch {
      return undefined;
    }
  };
  const shard = read('shard', parseShard);
  const hasImages = textOf('images', from) !== undefined || (from.operands ?? []).length > 0;
  // The default destination is for image sets alone.
  const isNowhere = hasImages && !from.values.has('push-to');
  return {
    ...reportHead(defaults.settings, version),
    source: read('source', parseHost) ?? '',
    destination: isNowhere ? '' : (read('push-to', parseHost) ?? ''),
    namespace: read('push-ns', parsePath),
    shards: shard === undefined ? [] : [shard],
  };
}

/** Returns the report of a run whose flags are wrong, and the files that it must not replace. */
export function filesOfWrongFlags(from: FlagSource): {
  readonly report: string | undefined;
  readonly others: readonly string[];
} {
  const texts = [textOf('db', from), textOf('image-set', from) ?? 'image_set.json', textOf('images', from)];
  return { report: textOf('report', from), others: texts.flatMap((text) => text?.split(/[\n,]/) ?? []) };
}

function textOf(name: string, from: FlagSource): string | undefined {
  const flag: Flag | undefined = SYNC_FLAGS.find((each) => each.name === name);
  return flag && flagText(flag, from);
}
