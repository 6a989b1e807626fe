import { AsyncLocalStorage } from 'node:async_hooks';
import { PROCESS_MASK } from './process-mask.ts';
import { unescapeMessage } from './workflow-command.ts';

/** The lines that GitHub's packages printed while they worked, without masks and debug lines. */
type Said = string[];

const listening = new AsyncLocalStorage<Said>();
let intercepted = false;

/**
 * Starts some work of GitHub's packages and collects what they print. They only print their failures, as annotations,
 * which a failure of the cache does not deserve. Masks and debug lines still reach the runner. Output after the caller
 * has stopped waiting is collected too, so that it does not appear in the middle of something else.
 */
export function listenTo<T>(work: () => Promise<T>): { readonly result: Promise<T>; readonly said: Said } {
  if (!intercepted) intercept();
  const said: Said = [];
  return { result: listening.run(said, work), said };
}

/** Returns the last warning or failure in the output, as one line; undefined if there is none. */
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
        const [, secret] = /^::add-mask::(.*)/.exec(line) ?? [];
        if (secret !== undefined) {
          // The toolkit masks a signature twice, and again for each request.
          if (PROCESS_MASK.learns(unescapeMessage(secret))) Reflect.apply(write, stream, [`${line}\n`]);
        }
        // The artifact package prints signed addresses in debug lines before it masks their signatures.
        else if (/^::debug::/.test(line)) Reflect.apply(write, stream, [`${withoutSignatures(line)}\n`]);
        else if (line !== '') said.push(withoutSignatures(line));
      }
      const done = args.findLast((argument) => typeof argument === 'function');
      if (done !== undefined) process.nextTick(done);
      return true;
    },
  });
}
