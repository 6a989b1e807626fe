import type { ProcessResult } from '../support/action-runner.ts';
import { DURATION_TEXT } from '../support/duration-text.ts';

/**
 * Writes down what a run showed, in the order in which a person meets it: the log with its commands, the outputs, the
 * summary. What differs from run to run has a name instead; lines of images, which come in the order in which transfers
 * end, are sorted.
 */
export function formatGolden(
  main: ProcessResult,
  post: ProcessResult,
  names: ReadonlyMap<string, string>,
): string {
  const outputs = Object.entries(main.outputs).map(([name, value]) => `${name}=${value}`);
  const parts = [
    `--- main: exit code ${main.exitCode}`,
    ...stateFirst(visibleLines(main)),
    '--- outputs',
    ...outputs,
    '--- summary',
    main.summary.trimEnd(),
    `--- post: exit code ${post.exitCode}`,
    ...visibleLines(post),
  ];
  return `${sortImages(steady(parts.join('\n'), names).split('\n')).join('\n')}\n`;
}

/**
 * Debug lines are hidden unless someone asks for them; masks are checked by looking for leaks. How far a run is, is told
 * every few seconds, which is never on a fast machine.
 */
function visibleLines({ stdout, stderr }: ProcessResult): string[] {
  const lines = stdout
    .split('\n')
    .filter((line) => !/^::(?:debug|add-mask)::|^mirroring \d+ of \d+ /.test(line));
  return [...lines, ...stderr.split('\n').map((line) => (line === '' ? '' : `stderr: ${line}`))].filter(
    (line) => line !== '',
  );
}

/** The state is fetched while images are looked for, so what is told of it may come anywhere. */
function stateFirst(lines: readonly string[]): string[] {
  const isState = (line: string): boolean => line.startsWith('state: ');
  return [...lines.filter(isState), ...lines.filter((line) => !isState(line))];
}

function sortImages(lines: readonly string[]): string[] {
  // Indented: an image that moved. The others: failures, and rows of the slowest.
  const isImage = (line: string): boolean =>
    /^ +\S|^::(?:error|warning)(?: [^:]*)?::(?:source|destination)\.test|^\| <code>.*<spent>/.test(line);
  const sorted: string[] = [];
  let images: string[] = [];
  for (const line of lines) {
    if (isImage(line)) {
      images.push(line);
    } else {
      sorted.push(...images.toSorted(), line);
      images = [];
    }
  }
  return sorted;
}

function steady(text: string, names: ReadonlyMap<string, string>): string {
  let result = text;
  for (const [volatile, name] of names) result = result.replaceAll(volatile, name);
  return result
    .replace(/\b\d{4}-\d\d-\d\d(?:T| )\d\d:\d\d(?::\d\d(?:\.\d+)?Z?)?/g, '<time>')
    .replace(/\b\d+(?:\.\d+)? (?:KiB|MiB|B)\/s/g, '<rate>')
    .replace(DURATION_TEXT, '<spent>')
    .replace(/ +<spent>/g, ' <spent>')
    .replace(/\b(keel-sync-v\d+-)[0-9a-f]{16}/g, '$1<route>')
    .replace(/\b(state: [a-z ]+, )\d+(?:\.\d+)? KiB/g, '$1<size>')
    .replace(/\bsha256:[0-9a-f]{64}/g, 'sha256:<digest>');
}
