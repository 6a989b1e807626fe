import { seconds } from '../lib/duration.ts';
import type { Reporter } from '../lib/reporter.ts';
import { keepCertificateChecks } from '../process/certificate-checks.ts';
import { EXIT, exitCodeFor } from '../process/exit-code.ts';
import { Interrupt } from '../process/interrupt.ts';
import { formatCommand } from './workflow-command.ts';
import { WorkflowReporter } from './workflow-reporter.ts';

const OLDEST_NODE = 24;
const PROGRESS_INTERVAL = seconds(5);

/** The process of an action: what it provides to the step, and how to end it. */
interface ActionProcess {
  readonly parts: {
    readonly reporter: Reporter;
    readonly signal: AbortSignal;
    readonly environment: NodeJS.ProcessEnv;
    /** Warnings to show once all secrets are masked. */
    readonly notices: readonly string[];
  };
  /** Exits at once, so that idle connections and a cache that does not answer cannot delay the job. */
  end(isGood: boolean): never;
}

/**
 * Returns the process of an action; exits if its Node is too old. `stopping` is the message about what happens to the
 * work when the job is cancelled.
 */
export function openAction(stopping: string): ActionProcess {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    process.stdout.write(`${formatCommand('error', `needs Node ${OLDEST_NODE} or newer`)}\n`);
    process.exit(EXIT.failure);
  }
  const { GITHUB_WORKSPACE: workspace = process.cwd() } = process.env;
  const reporter = new WorkflowReporter({
    write: (line) => process.stdout.write(`${line}\n`),
    workspace,
    interval: PROGRESS_INTERVAL,
    clock: () => performance.now(),
  });
  process.once('uncaughtException', (error) => {
    reporter.error(error.stack ?? error.message);
    process.exit(EXIT.failure);
  });
  const unchecked = keepCertificateChecks(process.env);
  const interrupt = new Interrupt(
    process,
    (signal) => reporter.warning(`${signal}: stopping; ${stopping}`),
    (code) => process.exit(code),
  );
  return {
    parts: {
      reporter,
      signal: interrupt.signal,
      environment: process.env,
      notices: unchecked === undefined ? [] : [unchecked],
    },
    end: (isGood) => process.exit(exitCodeFor(isGood ? 'complete' : 'incomplete', interrupt.stoppedBy)),
  };
}
