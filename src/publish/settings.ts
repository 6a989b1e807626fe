import { FlagReader } from '../config/flags/flag-reader.ts';
import type { FlagSource } from '../config/flags/flag-source.ts';
import { parseSwitch } from '../config/flags/flag-value.ts';
import type { Failure } from '../lib/failure.ts';
import type { OpenTarget } from './contract/target-kind.ts';
import { PUBLISH_FLAGS, type PublishFlagName } from './flags.ts';
import { parseTargetWords, TARGETS, type TargetWord } from './targets.ts';

/** Where a package goes. */
export interface PublishSettings {
  /** In the order given. */
  readonly targets: readonly ChosenTarget[];
  readonly overwrite: boolean;
}

/** A target whose settings were read. */
interface ChosenTarget {
  readonly word: TargetWord;
  readonly open: OpenTarget;
}

/** Settings with notices for the user, or every failure found in the flags. */
type ParsedPublishSettings =
  | { readonly ok: true; readonly settings: PublishSettings; readonly notices: readonly string[] }
  | { readonly ok: false; readonly failures: readonly Failure[]; readonly notices: readonly string[] };

/** Reads from flags or inputs where a package goes. Returns every failure at once: each wrong and each missing flag. */
export function parsePublishSettings(from: FlagSource): ParsedPublishSettings {
  const flags = new FlagReader<PublishFlagName>(PUBLISH_FLAGS, from);
  const repo = flags.text('repo') ?? '';
  const { words, warnings: notices, refusals } = parseTargetWords(repo, (name) => flags.label(name));
  for (const { message, hint } of refusals) flags.refuse('repo', message, hint);
  const overwrite = flags.optional('overwrite', parseSwitch) ?? false;
  const targets: ChosenTarget[] = [];
  for (const { word, read } of TARGETS) {
    const open = words.includes(word) ? read(flags, from.environment) : undefined;
    if (open !== undefined) targets.push({ word, open });
  }
  if (flags.failures.length > 0) return { ok: false, failures: flags.failures, notices };
  const inOrder = targets.toSorted((one, other) => words.indexOf(one.word) - words.indexOf(other.word));
  return { ok: true, settings: { targets: inOrder, overwrite }, notices };
}
