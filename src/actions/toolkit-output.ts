import { AsyncLocalStorage } from 'node:async_hooks';

/** What GitHub's packages said while they worked, without commands, one text a line. */
type Said = string[];

const listening = new AsyncLocalStorage<Said>();
let intercepted = false;

/**
 * Runs some work of GitHub's packages and keeps what they print, because they tell failures by printing only and as
 * annotations that are too loud for a cache. Masks and debug lines go on to the runner. What the work prints after its
 * caller stopped waiting is kept as well, so that it never appears in the middle of something else.
 */
export function listenTo<T>(work: () => Promise<T>): { readonly result: Promise<T>; readonly said: Said } {
  if (!intercepted) intercept();
  const said: Said = [];
  return { result: listening.run(said, work), said };
}

/** Returns the reason among what was said: the last warning or failure, on one line; undefined where there was none. */
export function reasonIn(said: readonly string[]): string | undefined {
  const told = said.findLast((line) =>
    /^::(?:warning|error)|^Failed to |skipped: |failed with error: /.test(line),
  );
  const message = told?.replace(/^::\w[^:]*::/, '').split(/%0A|\n/)[0];
  return message?.replace(/^Failed to (?:restore|save): /, '').replaceAll('%25', '%');
}

function withoutSignatures(line: string): string {
  return line.replace(/([?&]sig=)[^"'&\s]+/g, '$1***');
}

function intercept(): void {
  intercepted = true;
  process.stdout.write = new Proxy(process.stdout.write, {
    apply(write, stream, args: readonly unknown[]): unknown {
      const said = listening.getStore();
      if (said === undefined) return Reflect.apply(write, stream, args);
      for (const line of String(args[0]).split(/\r?\n/)) {
        if (/^::add-mask::/.test(line)) Reflect.apply(write, stream, [`${line}\n`]);
        // The artifact package tells signed addresses in debug lines before it hides their signatures.
        else if (/^::debug::/.test(line)) Reflect.apply(write, stream, [`${withoutSignatures(line)}\n`]);
        else if (line !== '') said.push(withoutSignatures(line));
      }
      const done = args.findLast((argument) => typeof argument === 'function');
      if (done !== undefined) process.nextTick(done);
      return true;
    },
  });
}
