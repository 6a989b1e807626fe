/** The name of a workflow command. */
export type CommandName = 'add-mask' | 'group' | 'endgroup' | 'notice' | 'warning' | 'error' | 'debug';

/**
 * Returns a workflow command as one line, without the properties that are undefined.
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
export function formatCommand(
  name: CommandName,
  message = '',
  properties: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const given = Object.entries(properties)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
  const space = given.length === 0 ? '' : ' ';
  return `::${name}${space}${given.join(',')}::${escapeMessage(message)}`;
}

/**
 * Returns the lines of a text, changed so that the runner takes none of them for a command, because a response of a
 * registry must not be able to set masks or groups.
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
export function plainLines(text: string): string[] {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => line.replace(/^(\s*):(?=:)/, '$1: ').replaceAll('##[', '## ['));
}

function escapeMessage(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** Returns the message of a command as it was before it was written into one. */
export function unescapeMessage(text: string): string {
  return text.replaceAll('%0A', '\n').replaceAll('%0D', '\r').replaceAll('%25', '%');
}

function escapeProperty(text: string): string {
  return escapeMessage(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
