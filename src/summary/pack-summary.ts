import { type Duration, formatDuration } from '../lib/duration.ts';
import { bar } from '../lib/text/chart-bar.ts';
import { alignColumns } from '../lib/text/columns.ts';
import { code, escapeMarkdown, tableHead, tableRow } from '../lib/text/markdown.ts';
import { formatSize } from '../lib/text/size.ts';
import {
  describeCheck,
  describeImageCheck,
  type PackageContents,
  uncheckedLines,
  uncheckedParts,
} from '../pack/contents/package-contents.ts';
import type { PackagePlan } from '../pack/plan/plan.ts';
import type { ChosenKubernetes } from '../pack/run/kubernetes-choice.ts';
import type { BuiltPackage } from '../pack/run/result.ts';
import { chosenLine, packageHeadline, planLines, tagOriginWords } from '../pack/run/wording.ts';
import type { PackageLocation } from '../publish/contract/target.ts';
import { formatPage, PAGE_LIMIT, type Section } from './page.ts';

/** The contents of the summary page of a package. */
export interface PackFacts {
  readonly file: BuiltPackage;
  readonly contents: PackageContents;
  /** What a word such as `latest` means; undefined if the version was given. */
  readonly chosen?: ChosenKubernetes | undefined;
  readonly duration: Duration;
  readonly locations: readonly PackageLocation[];
  readonly failures: readonly { readonly target: string; readonly message: string }[];
}

const BAR_WIDTH = 30;
const BARS = 20;
const DIGEST_LENGTH = 'sha256:'.length + 12;

/** Returns the page of a package: its contents, how they were checked, where it is and how to load it. */
export function formatPackSummary(facts: PackFacts, limit = PAGE_LIMIT): string {
  const { contents, failures, locations } = facts;
  const sections: Section[] = [fixed(headOf(facts))];
  if (failures.length > 0) sections.push(failureSection(failures));
  if (locations.length > 0) sections.push(locationSection(locations));
  sections.push(fixed(loadingOf(facts)));
  const unchecked = uncheckedParts(contents);
  if (unchecked.length > 0) sections.push(uncheckedSection(unchecked));
  sections.push(fixed(chartOf(contents)));
  if (contents.images.length > 0) sections.push(imageSection(contents));
  if (contents.components.length > 0) sections.push(componentSection(contents));
  if (contents.addons.length > 0) sections.push(addonSection(contents));
  return formatPage(sections, limit);
}

/** Returns the page of a dry run: what would be fetched, from where, and how it would be checked. */
export function formatPlanSummary(plan: PackagePlan, chosen?: ChosenKubernetes, limit = PAGE_LIMIT): string {
  const { images, components, addons } = planLines(plan);
  const section = (title: string, lines: readonly string[]): Section => ({
    head: `### ${title} (${lines.length})\n`,
    rows: lines.map((line) => `- ${escapeMarkdown(line)}`),
    more: (left) => `- and ${left} more`,
  });
  const head = `## ${escapeMarkdown(plan.fileName)} would be packed${chosenNote(chosen)}`;
  const sections = [fixed(head), section('Images', images), section('Components', components)];
  if (addons.length > 0) sections.push(section('Add-ons', addons));
  return formatPage(sections, limit);
}

/** Returns what a word such as `latest` means, as a paragraph below a heading. */
function chosenNote(chosen: ChosenKubernetes | undefined): string {
  return chosen === undefined ? '' : `\n\n${escapeMarkdown(chosenLine(chosen))}`;
}

function headOf({ file, contents, chosen, duration, failures }: PackFacts): string {
  const mark = failures.length === 0 ? '✅' : '❌';
  const head = tableHead(['Kubernetes', 'Architecture', '>Size', '>Time', 'sha256']);
  const row = tableRow([
    escapeMarkdown(contents.kubernetes),
    escapeMarkdown(contents.arch),
    formatSize(file.size),
    formatDuration(duration),
    code(file.sha256.slice('sha256:'.length)),
  ]);
  const headline = escapeMarkdown(packageHeadline(contents, file.size));
  return `## ${mark} ${headline}\n\n${head}\n${row}${chosenNote(chosen)}`;
}

function failureSection(failures: PackFacts['failures']): Section {
  return {
    head: `### Not published to (${failures.length})\n\n${tableHead(['Target', 'What happened'])}`,
    rows: failures.map(({ target, message }) => tableRow([escapeMarkdown(target), escapeMarkdown(message)])),
    more: (left) => tableRow([`and ${left} more`, '']),
  };
}

function locationSection(locations: readonly PackageLocation[]): Section {
  return {
    head: `### Published to\n\n${tableHead(['Target', 'Address', 'How to get it'])}`,
    rows: locations.map(({ target, address, instruction, outcome }) => {
      const note = outcome === 'present' ? ' (already there)' : '';
      return tableRow([`${escapeMarkdown(target)}${note}`, code(address), code(instruction)]);
    }),
    more: (left) => tableRow([`and ${left} more`, '', '']),
  };
}

function loadingOf({ contents, file }: PackFacts): string {
  const [image] = contents.images;
  const lines = [
    `mkdir kube && tar -xzf ${file.name} -C kube && cd kube`,
    'sudo ./install.sh                                          # everything; --dry-run shows what it would do',
    ...(image === undefined
      ? []
      : [
          'tar -C images -cf - . | ctr -n k8s.io images import -      # only the images',
          'tar -C images -cf - . | docker load',
          `skopeo copy oci:images:${image.upstream} docker://registry.example.com/${image.name}`,
        ]),
  ];
  return ['### How to use it', '', '```sh', ...lines, '```'].join('\n');
}

function uncheckedSection(unchecked: ReturnType<typeof uncheckedParts>): Section {
  return {
    head: `### Unverified parts (${unchecked.length})\n`,
    rows: uncheckedLines(unchecked).map((text) => `- ${escapeMarkdown(text)}`),
    more: (left) => `- and ${left} more`,
  };
}

function chartOf({ images, components }: PackageContents): string {
  const parts = [
    ...images.map(({ name, size }) => ({ name, size })),
    ...components.map(({ name, tag, size }) => ({ name: `${name} ${tag}`, size })),
  ].toSorted((one, other) => other.size - one.size);
  const most = Math.max(1, ...parts.map(({ size }) => size));
  const rows = parts
    .slice(0, BARS)
    .map(({ name, size }) => [name, bar(size / most, BAR_WIDTH), formatSize(size)]);
  const left = parts.length - BARS;
  const more = left > 0 ? [`and ${left} smaller ones`] : [];
  return ['### Sizes', '', '```text', ...alignColumns(rows, new Set([2])), ...more, '```'].join('\n');
}

function imageSection({ images }: PackageContents): Section {
  return {
    head: `### Images (${images.length})\n\n${tableHead(['Image', 'Digest', '>Size', 'Checked'])}`,
    rows: images.map(({ upstream, digest, size, check, signature, origin }) =>
      tableRow([
        code(upstream),
        code(`${digest.slice(0, DIGEST_LENGTH)}…`),
        formatSize(size),
        escapeMarkdown([describeImageCheck({ check, signature }), ...tagOriginWords(origin)].join('; ')),
      ]),
    ),
    more: (left) => tableRow([`and ${left} more in keel-package.json`, '', '', '']),
  };
}

function componentSection({ components }: PackageContents): Section {
  return {
    head: `### Components (${components.length})\n\n${tableHead(['Component', 'sha256', '>Size', 'Checked'])}`,
    rows: components.map(({ name, tag, sha256, size, check, origin }) =>
      tableRow([
        escapeMarkdown(`${name} ${tag}`),
        code(`${sha256.slice(0, DIGEST_LENGTH)}…`),
        formatSize(size),
        escapeMarkdown([describeCheck(check), ...tagOriginWords(origin)].join('; ')),
      ]),
    ),
    more: (left) => tableRow([`and ${left} more in keel-package.json`, '', '', '']),
  };
}

function addonSection({ addons }: PackageContents): Section {
  return {
    head: `### Add-ons (${addons.length})\n\n${tableHead(['Add-on', 'sha256', 'Pods', 'Checked', 'Edited'])}`,
    rows: addons.map(({ name, tag, sha256, podNetwork, check, edits, origin }) =>
      tableRow([
        escapeMarkdown(tag === undefined ? name : `${name} ${tag}`),
        code(`${sha256.slice(0, DIGEST_LENGTH)}…`),
        escapeMarkdown(podNetwork ?? ''),
        escapeMarkdown([describeCheck(check), ...tagOriginWords(origin)].join('; ')),
        escapeMarkdown(edits.join('; ')),
      ]),
    ),
    more: (left) => tableRow([`and ${left} more in keel-package.json`, '', '', '', '']),
  };
}

function fixed(text: string): Section {
  return { head: text, rows: [], more: () => '' };
}
