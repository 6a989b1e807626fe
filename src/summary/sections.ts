import { newestFirst } from '../config/tag-age.ts';
import { formatDuration, milliseconds } from '../lib/duration.ts';
import { code, escapeMarkdown, tableHead, tableRow } from '../lib/text/markdown.ts';
import { formatSize } from '../lib/text/size.ts';
import type {
  CollidingName,
  CopiedTag,
  FailureCause,
  MovedTag,
  NamedRelease,
  UnmatchedName,
} from './facts.ts';
import type { Section } from './page.ts';

const IMAGES_NAMED = 5;
const TAGS_NAMED = 12;
const SLOWEST_SHOWN = 10;
const OPEN_UP_TO = 30;

/** Returns a table of failures with a row for each cause, so that one outage is one row. */
export function failureSection(title: string, causes: readonly FailureCause[]): Section {
  const ordered = causes.toSorted((one, other) => other.images.length - one.images.length);
  return {
    head: `### ${title} (${countFailures(causes)})\n\n${tableHead(['Image', 'What happened', 'What to do'])}`,
    rows: ordered.map(({ images, message, hint }) => {
      const named = listSome(images.map((image) => code(image)).toSorted(), IMAGES_NAMED, '<br>');
      return tableRow([named, escapeMarkdown(message), escapeMarkdown(hint ?? '')]);
    }),
    more: (left) => tableRow([`and ${left} more causes in the report`, '', '']),
  };
}

/** Returns the number of images that did not arrive. */
export function countFailures(causes: readonly FailureCause[]): number {
  return causes.reduce((sum, { images }) => sum + images.length, 0);
}

/** Returns a table of tags that moved but should not, with both images. */
export function movedSection(moved: readonly MovedTag[]): Section {
  return {
    head:
      `### Tags that moved (${moved.length})\n\n` +
      'A version tag should never change, and no tag should go back to an older image. Find out why before you use these images.\n\n' +
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
      `### Names that several images claim (${collisions.length})\n\n` +
      'Nothing was overwritten. Add a patch to the image set to rename one of them.\n\n' +
      tableHead(['At the destination', 'Claimed by', 'Patch']),
    rows: collisions.map(({ destination, sources, patch }) =>
      tableRow([code(destination), listSome(sources.map(code), IMAGES_NAMED, '<br>'), code(patch)]),
    ),
    more: (left) => tableRow([`and ${left} more in the report`, '', '']),
  };
}

/** Returns a table of the names in the image set that match nothing, with their places. */
export function unmatchedSection(unmatched: readonly UnmatchedName[]): Section {
  return {
    head: `### Names that match nothing (${unmatched.length})\n\n${tableHead(['Name', 'Place'])}`,
    rows: unmatched.map(({ name, place }) => {
      const where = place === undefined ? '' : code(`${place.file}:${place.line}:${place.column}`);
      return tableRow([code(name), where]);
    }),
    more: (left) => tableRow([`and ${left} more in the report`, '']),
  };
}

/** Returns a table of what the words for releases of Kubernetes mean. */
export function releaseSection(releases: readonly NamedRelease[]): Section {
  return {
    head: `### Kubernetes\n\n${tableHead(['In the image set', 'Releases', 'Tags from'])}`,
    rows: releases.map(({ word, versions, isOpen, origins }) =>
      tableRow([
        code(word),
        escapeMarkdown(versions === '' ? (isOpen ? 'not known' : 'none at the source') : versions),
        escapeMarkdown(origins),
      ]),
    ),
    more: (left) => tableRow([`and ${left} more in the report`, '', '']),
  };
}

/** Returns a table of copied images, one row per repository at the destination. */
export function copiedSection(copied: readonly CopiedTag[], dryRun: boolean): Section {
  const repositories = [...Map.groupBy(copied, ({ repository }) => repository)].toSorted(([one], [other]) =>
    one < other ? -1 : 1,
  );
  const title = dryRun ? 'To be copied' : 'Copied';
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
