import type { Architecture } from '../../config/kubernetes/architecture.ts';
import { parseTreePath } from '../../config/tree-path.ts';
import type { ComponentEntry } from '../../config/versions.ts';
import type { KnownComponent } from './known-component.ts';
import type { Placement } from './plan.ts';

const ARCHIVE = /\.(?:tar\.gz|tgz)$/i;
const NOT_A_PROGRAM =
  /\.(?:tar|tar\.gz|tgz|tar\.xz|tar\.zst|zip|deb|rpm|ya?ml|json|toml|conf|txt|md|sig|asc|pem|crt)$/i;

function filePlacement(path: string, url: URL): Placement {
  const tree = parseTreePath(path, path);
  return { kind: 'file', path: tree, executable: !NOT_A_PROGRAM.test(url.pathname) };
}

/**
 * Returns where a component goes. A path of the file that ends in `/` is a folder: archives are unpacked into it,
 * other files put into it by the component's name; a path that does not is the file itself. Without a path known
 * components have their place, programs go to `kubernetes/bin`, and any other file to `components` as it is.
 */
export function placementOf(
  entry: ComponentEntry,
  known: KnownComponent | undefined,
  url: URL,
  version: string,
  arch: Architecture,
): Placement {
  const { path } = entry;
  if (path !== undefined && !path.folder) return filePlacement(path.path, url);
  const content = known?.content(version, arch);
  if (content?.kind === 'archive') {
    const folder = parseTreePath(path?.path ?? known?.folder ?? 'components', entry.name);
    return { kind: 'archive', folder, strip: content.strip, only: content.only };
  }
  if (content?.kind === 'file') return filePlacement(`${path?.path ?? known?.folder}/${content.name}`, url);
  if (path !== undefined) {
    return ARCHIVE.test(url.pathname)
      ? { kind: 'archive', folder: path.path, strip: '' }
      : filePlacement(`${path.path}/${entry.name}`, url);
  }
  const ending = NOT_A_PROGRAM.exec(url.pathname)?.[0];
  return ending === undefined
    ? filePlacement(`kubernetes/bin/${entry.name}`, url)
    : filePlacement(`components/${entry.name}${ending.toLowerCase()}`, url);
}
