import { newestFirst } from '../config/tag-age.ts';
import { formatDuration, milliseconds } from '../lib/duration.ts';
import { code, escapeMarkdown, tableHead, tableRow } from '../lib/text/markdown.ts';
import { formatSize } from '../lib/text/size.ts';
import type { CollidingName, CopiedTag, FailedImage, MovedTag, UnmatchedName } from './facts.ts';
import type { Section } from './page.ts';

const IMAGES_NAMED = 5;
const TAGS_NAMED = 12;
const SLOWEST_SHOWN = 10;
const OPEN_UP_TO = 30;

/** Returns a table of failures. Those with the same cause share a row, so that one outage is one row. */
export function failureSection(title: string, failures: readonly FailedImage[]): Section {
  const causes = Map.groupBy(failures, ({ message, hint }) => JSON.stringify([message, hint]));
  const groups = [...causes.values()].toSorted((one, other) => other.length - one.length);
  return {
    head: `### ${title} (${failures.length})\n\n${tableHead(['Image', 'What happened', 'What to do'])}`,
    rows: groups.map((group) => {
      const images = listSome(group.map(({ image }) => code(image)).toSorted(), IMAGES_NAMED, '<br>');
      const [first] = group;
      return tableRow([images, escapeMarkdown(first?.message ?? ''), escapeMarkdown(first?.hint ?? '')]);
    }),
    more: (left) => tableRow([`and ${left} more causes in the report`, '', '']),
  };
}

/** Returns a table of tags that moved and should not have, with both images. */
export function movedSection(moved: readonly MovedTag[]): Section {
  return {
    head:
      `### Tags that moved (${moved.length})\n\n` +
      'A tag of a version should stay what it is, and no tag should go back. Find out why before you use these images.\n\n' +
      tableHead(['Image', 'Before', 'Now', 'What happened', 'What to do']),
    rows: moved.map(({ image, before, now, message, hint }) =>
      tableRow([code(image), ...[before, now, message, hint ?? ''].map(escapeMarkdown)]),
    ),
    more: (left) => tableRow([`and ${left} more in the report`, '', '', '', '']),
  };
}

/** Returns a table of names that several sources claim, each with the patch that resolves it. */
export function collisionSection(collisions: readonly CollidingName[]): Section {
  return {
    head:
      `### Names that several images want (${collisions.length})\n\n` +
      'Nothing was overwritten. A patch in the image set gives one of them a name of its own.\n\n' +
      tableHead(['At the destination', 'Wanted by', 'Patch']),
    rows: collisions.map(({ destination, sources, patch }) =>
      tableRow([code(destination), listSome(sources.map(code), IMAGES_NAMED, '<br>'), code(patch)]),
    ),
    more: (left) => tableRow([`and ${left} more in the report`, '', '']),
  };
}

/** Returns a table of the names in the image set that match nothing, with their places. */
export function unmatchedSection(unmatched: readonly UnmatchedName[]): Section {
  return {
    head: `### Names that match nothing (${unmatched.length})\n\n${tableHead(['Name', 'Written at'])}`,
    rows: unmatched.map(({ name, place }) => {
      const where = place === undefined ? '' : code(`${place.file}:${place.line}:${place.column}`);
      return tableRow([code(name), where]);
    }),
    more: (left) => tableRow([`and ${left} more in the report`, '']),
  };
}

/** Returns a table of copied images, one row per repository at the destination. */
export function copiedSection(copied: readonly CopiedTag[], dryRun: boolean): Section {
  const repositories = [...Map.groupBy(copied, ({ repository }) => repository)].toSorted(([one], [other]) =>
    one < other ? -1 : 1,
  );
  const title = dryRun ? 'What would be copied' : 'What was copied';
  const count = `${copied.length} in ${repositories.length} ${repositories.length === 1 ? 'repository' : 'repositories'}`;
  const open = repositories.length <= OPEN_UP_TO ? ' open' : '';
  return {
    head:
      `### ${title} (${count})\n\n<details${open}><summary>By repository</summary>\n\n` +
      tableHead(['Repository', 'Tags', ...(dryRun ? [] : ['>Sent'])]),
    rows: repositories.map(([repository, images]) => {
      const bytes = images.reduce((sum, image) => sum + image.bytes, 0);
      const tags = listSome(
        newestFirst(images).map(({ tag }) => code(tag)),
        TAGS_NAMED,
        ' ',
      );
      return tableRow([code(repository), tags, ...(dryRun ? [] : [formatSize(bytes)])]);
    }),
    more: (left) => tableRow([`and ${left} more in the report`, '', '']),
    foot: '\n</details>',
  };
}

/** Returns a table of the images that took longest. */
export function slowestSection(copied: readonly CopiedTag[]): Section {
  const slowest = copied.toSorted((one, other) => other.duration - one.duration).slice(0, SLOWEST_SHOWN);
  return {
    head: `<details><summary>Slowest images</summary>\n\n${tableHead(['Image', '>Time', '>Sent', '>Rate'])}`,
    rows: slowest.map(({ repository, tag, duration, bytes }) => {
      const rate = `${formatSize((bytes * 1000) / Math.max(1, duration))}/s`;
      const name = code(`${repository}:${tag}`);
      return tableRow([name, formatDuration(milliseconds(duration)), formatSize(bytes), rate]);
    }),
    more: (left) => tableRow([`and ${left} more in the report`, '', '', '']),
    foot: '\n</details>',
  };
}

/** Returns a list of warnings that belong to no image. */
export function warningSection(warnings: readonly string[]): Section {
  return {
    head: `### Warnings (${warnings.length})\n`,
    rows: warnings.map((text) => `- ${escapeMarkdown(text)}`),
    more: (left) => `- and ${left} more in the report`,
  };
}

function listSome(items: readonly string[], limit: number, separator: string): string {
  const shown = items.slice(0, limit);
  const left = items.length - shown.length;
  return [...shown, ...(left > 0 ? [`and ${left} more`] : [])].join(separator);
}
