import { Failure } from '../lib/failure.ts';

/** A path within the package: relative, separated by `/`, without `.` and `..`. */
export type TreePath = string & { readonly grammar: 'tree path' };

const PART = /^[A-Za-z0-9_@%+=:,.~-]+$/;
const LENGTH_LIMIT = 255;

/** Returns a path within the package, which does not end in `/`. Throws `PATH_UNSAFE`. */
export function parseTreePath(text: string, about: string): TreePath {
  const wrong = text.split('/').find((part) => !PART.test(part) || part === '.' || part === '..');
  if (wrong === undefined && text.length <= LENGTH_LIMIT) return text as TreePath;
  const shown = JSON.stringify(text.slice(0, 120));
  throw new Failure({
    code: 'PATH_UNSAFE',
    about,
    message:
      wrong === undefined
        ? `the path has ${text.length} characters, ${LENGTH_LIMIT} are allowed`
        : `${shown} is not a path within the package`,
    hint: 'write one such as kubernetes/bin/tool, without a / at its start and without ".."',
  });
}
