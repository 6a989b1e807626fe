import { readFileSync, writeFileSync } from 'node:fs';
import { readResults } from '../bench/results.ts';
import { flagTerm } from '../src/cli/arguments.ts';
import { defaultOf, type Flag, groupFlags } from '../src/config/flags/flag.ts';
import { kubeadmMinors } from '../src/config/kubernetes/kubeadm-tags.ts';
import { PACK_FLAGS } from '../src/pack/flags.ts';
import { EXIT_CODES } from '../src/process/exit-code.ts';
import { PUSH_FLAGS } from '../src/publish/flags.ts';
import { SYNC_FLAGS } from '../src/sync/flags.ts';
import { replaceSection } from './action-metadata.ts';
import { ACTIONS, generateAction } from './actions.ts';
import { fillPerformance } from './performance.ts';

const SYNCTL_PAGE = 'docs/synctl.md';
const PACK_PAGE = 'docs/pack.md';
const PERFORMANCE_PAGES = ['docs/performance.md', 'bench/README.md'];
const IMAGE_SET_PAGE = 'docs/image-set.md';
const RESULTS = 'bench/results.json';

/** Returns every file of which parts are generated from the code, by path, with its content. */
export function generateDocuments(): ReadonlyMap<string, string> {
  const synctl = replaceSection(readFileSync(SYNCTL_PAGE, 'utf8'), 'flags', formatFlagTables(SYNC_FLAGS));
  const documents = new Map([[SYNCTL_PAGE, replaceSection(synctl, 'exit-codes', formatExitCodes())]]);
  const pack = replaceSection(readFileSync(PACK_PAGE, 'utf8'), 'packer-flags', formatFlagTables(PACK_FLAGS));
  documents.set(PACK_PAGE, replaceSection(pack, 'push-flags', formatFlagTables(PUSH_FLAGS)));
  const { oldest, newest } = kubeadmMinors();
  documents.set(
    IMAGE_SET_PAGE,
    readFileSync(IMAGE_SET_PAGE, 'utf8').replace(
      /(?<=kubeadm )1\.\d+ to 1\.\d+/,
      `1.${oldest} to 1.${newest}`,
    ),
  );
  for (const page of PERFORMANCE_PAGES) {
    documents.set(page, fillPerformance(readFileSync(page, 'utf8'), readResults(RESULTS)));
  }
  for (const [folder, action] of Object.entries(ACTIONS)) {
    for (const [file, text] of generateAction(folder, action)) documents.set(file, text);
  }
  return documents;
}

/** Returns the flags of a command as tables in Markdown, one under each heading. */
export function formatFlagTables(flags: readonly Flag[]): string {
  return [...groupFlags(flags)]
    .map(([group, members]) => {
      const rows = members.map((flag) => `| ${code(flagTerm(flag))} | ${standard(flag)} | ${what(flag)} |`);
      return [`**${group}**`, '', '| Flag | Default | What it does |', '|---|---|---|', ...rows].join('\n');
    })
    .join('\n\n');
}

function formatExitCodes(): string {
  const rows = EXIT_CODES.map(({ codes, meaning }) => `| ${codes} | ${meaning} |`);
  return ['| Exit code | Meaning |', '|---|---|', ...rows].join('\n');
}

function standard(flag: Flag): string {
  const known = defaultOf(flag);
  if (known === undefined) return '';
  return flag.defaultNote === undefined ? code(known) : known;
}

function what(flag: Flag): string {
  const notes = [
    flag.description,
    ...(flag.repeatable === true ? ['several: repeat the flag, or separate them with commas'] : []),
    ...(flag.environment === undefined || flag.inputOnly === true ? [] : [`or \`$${flag.environment}\``]),
  ];
  return notes.join('; ').replaceAll('|', '\\|');
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

if (import.meta.main) {
  for (const [file, text] of generateDocuments()) writeFileSync(file, text);
}
