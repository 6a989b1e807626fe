import { parseReference, parseTag, type Reference, type Tag } from '../registry/oci/reference.ts';
import { CNI_TABLE, type CniPlugin } from './kubernetes/cni-image-table.ts';
import { type TagFilter, tagFilterSchema } from './tag-filter.ts';

export const CNI_PLUGINS = ['calico', 'cilium', 'flannel'] as const satisfies readonly CniPlugin[];

/** Which tags of an image of a network plugin are wanted. */
export interface CniWish {
  /** Its three newest releases. */
  readonly filter: TagFilter;
  /** The tag that upstream's own list names at the newest release that keel-pkg knows. Wanted if the source lists it. */
  readonly named: Tag;
  /** Whether an installation with upstream's defaults needs the image. */
  readonly isNeeded: boolean;
}

/** An image of a network plugin. */
interface CniImage extends CniWish {
  readonly image: Reference;
}

const KEPT_RELEASES = 3;

/** Returns the images of a network plugin, each with its wanted tags. */
export function cniImages(plugin: CniPlugin): CniImage[] {
  const rows = CNI_TABLE.filter((row) => row.plugin === plugin);
  return rows.map(({ image, tag, use }) => ({
    image: parseReference(image),
    filter: tagFilterSchema.parse({ regex: formOf(tag), latest: KEPT_RELEASES }),
    named: parseTag(tag),
    isNeeded: use === 'needed',
  }));
}

/** A commit after a separator, and the other numbers of a tag. */
const NUMBERS = /((?<=[-_])(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}$)|([0-9]+)|([.+])/g;

/** Returns the expression for tags of the same form, with any numbers and any commit. */
function formOf(tag: string): string {
  const form = tag.replaceAll(NUMBERS, (text, commit: string | undefined, number: string | undefined) =>
    commit !== undefined ? '[0-9a-f]{7,40}' : number !== undefined ? '[0-9]+' : `\\${text}`,
  );
  return `^${form}$`;
}
