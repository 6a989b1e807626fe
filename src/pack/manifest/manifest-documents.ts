import { Failure } from '../../lib/failure.ts';
import { readYaml, UnusableYaml, type YamlText } from '../../lib/text/yaml-documents.ts';

/** Returns a failure about a manifest, with its line. `about` is the add-on or file. */
export function unusableManifest(
  about: string,
  message: string,
  { line, hint }: { readonly line?: number | undefined; readonly hint?: string | undefined } = {},
): Failure<'MANIFEST_UNUSABLE'> {
  return new Failure({
    code: 'MANIFEST_UNUSABLE',
    about: line === undefined ? about : `${about}, line ${line}`,
    message,
    hint,
  });
}

/** Returns the documents of a manifest. Throws `MANIFEST_UNUSABLE` for one that is malformed or too large. */
export function readManifestDocuments(text: string, about: string): YamlText {
  try {
    return readYaml(text);
  } catch (error) {
    if (!(error instanceof UnusableYaml)) throw error;
    const line = error.position?.line;
    const isTemplate = error.isMalformed && text.includes('{{');
    throw unusableManifest(about, error.message, {
      line,
      hint: isTemplate
        ? 'it looks like a template: render it first, for example with helm template'
        : undefined,
    });
  }
}
