/** Programs with a command `pull`, which takes an image. */
const RUNTIMES: ReadonlySet<string> = new Set([
  'docker',
  'podman',
  'nerdctl',
  'crictl',
  'ctr',
  'crane',
  'buildah',
]);
/** Flags of these programs with a value that follows as a word of its own. */
const FLAGS_WITH_VALUE: ReadonlySet<string> = new Set([
  '--arch',
  '--auth',
  '--authfile',
  '--creds',
  '--namespace',
  '--os',
  '--platform',
  '--user',
  '--variant',
  '-n',
  '-u',
]);

/** A word of a line, and its distance from the start of the line. */
export interface LineWord {
  readonly text: string;
  readonly offset: number;
}

/** Returns the words of a line, which spaces separate. */
export function wordsOf(line: string): readonly LineWord[] {
  return [...line.matchAll(/\S+/g)].map((match) => ({ text: match[0], offset: match.index }));
}

/** Words that can be before a command without changing which command it is. */
const BEFORE_COMMAND: ReadonlySet<string> = new Set([
  '$',
  '#',
  'sudo',
  '!',
  '{',
  'time',
  'nohup',
  'exec',
  'command',
  'env',
  'if',
  'then',
  'elif',
  'else',
  'while',
  'until',
  'do',
]);
const SETTING = /^(?:-|[A-Za-z_]\w*=)/;
/** The output of a command to a file. The name of the file is a word of its own, or a part of this one. */
const REDIRECTION = /^(?:\d?>>?|&>>?)(.*)$/;
const COMMAND_END = /(;|\|\|?|&&?)/;

/** An image that a line of a script pulls. */
interface PulledImage extends LineWord {
  /** The command that gets the pulling one as its arguments, such as `retry`, and may not run it. */
  readonly runner?: string | undefined;
}

/**
 * Returns the images that a line of shell commands such as `docker pull nginx` pulls; undefined if its first command is
 * of another kind.
 */
export function pulledImages(line: string): readonly LineWord[] | undefined {
  const [first, ...others] = commandsIn(line).map((command) => operandsOfPull(withoutSettings(command)));
  return first === undefined ? undefined : [first, ...others].flatMap((operands) => operands ?? []);
}

/** Returns the images that the commands on a line of a script pull, or may pull; undefined if none does. */
export function pulledInScript(line: string): readonly PulledImage[] | undefined {
  const pulls = commandsIn(line).flatMap((command): (readonly PulledImage[])[] => {
    const own = withoutSettings(command);
    const certain = operandsOfPull(own);
    if (certain !== undefined) return [certain];
    const start = own.findIndex(({ text }) => isRuntime(text));
    const given = start < 0 ? undefined : operandsOfPull(own.slice(start));
    if (given === undefined) return [];
    const runner = own[0]?.text;
    // The arguments of such a command may be a sentence.
    return [given.filter(({ text }) => /[:/]/.test(text)).map((word) => ({ ...word, runner }))];
  });
  return pulls.length === 0 ? undefined : pulls.flat();
}

/** Returns the words of each command of a line, without redirections of its output. */
function commandsIn(line: string): readonly (readonly LineWord[])[] {
  let command: LineWord[] = [];
  const commands = [command];
  let isFile = false;
  const hasInner = line.includes('$(');
  for (const { text: whole, offset } of wordsOf(line)) {
    const file = REDIRECTION.exec(whole)?.[1];
    if (file !== undefined || isFile) {
      isFile = file === '';
      continue;
    }
    let at = offset;
    for (const piece of whole.split(COMMAND_END)) {
      const text = hasInner ? piece : withoutGroup(piece);
      if (COMMAND_END.test(piece)) {
        command = [];
        commands.push(command);
      } else if (text !== '') command.push({ text, offset: at + piece.indexOf(text) });
      at += piece.length;
    }
  }
  return commands;
}

/** Returns a word without the parentheses around a group of commands. */
function withoutGroup(word: string): string {
  const inner = word.startsWith('(') ? word.slice(1) : word;
  return inner.endsWith(')') && !inner.includes('(') ? inner.slice(0, -1) : inner;
}

/** Returns a command without the words before its name, such as `sudo -E` and the variables that are set for it. */
function withoutSettings(command: readonly LineWord[]): readonly LineWord[] {
  const start = command.findIndex(({ text }) => !BEFORE_COMMAND.has(text) && !SETTING.test(text));
  return start < 0 ? [] : command.slice(start);
}

function isRuntime(word: string): boolean {
  return RUNTIMES.has(nameOfProgram(word));
}

function nameOfProgram(word: string): string {
  return word.slice(word.lastIndexOf('/') + 1).replace(/^["']/, '');
}

function operandsOfPull(words: readonly LineWord[]): readonly LineWord[] | undefined {
  const program = nameOfProgram(words[0]?.text ?? '');
  const pull = words.findIndex(({ text }) => text === 'pull');
  // "compose pull" is followed by services.
  if (!RUNTIMES.has(program) || pull < 0 || words[pull - 1]?.text === 'compose') return undefined;
  const given = words.slice(pull + 1);
  const operands = given.filter(({ text }, index) => {
    const before = given[index - 1]?.text ?? '';
    return !text.startsWith('-') && !FLAGS_WITH_VALUE.has(before);
  });
  return program === 'crane' && operands.length > 1 ? operands.slice(0, -1) : operands;
}
