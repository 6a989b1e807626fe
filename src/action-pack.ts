import { packStep } from './actions/pack-step.ts';
import { WorkflowReporter } from './actions/reporter.ts';
import { formatCommand } from './actions/workflow-command.ts';
import { askCredentialHelper } from './cli/credential-helper.ts';
import { EXIT } from './cli/exit-code.ts';
import { Interrupt } from './cli/interrupt.ts';
import { seconds } from './lib/duration.ts';

// The qiniu and artifact packages still call url.parse(); a user can do nothing about it.
process.noDeprecation = true;

const OLDEST_NODE = 24;

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stdout.write(`${formatCommand('error', `needs Node ${OLDEST_NODE} or newer`)}\n`);
  process.exit(EXIT.failure);
}
const { GITHUB_WORKSPACE: workspace = process.cwd() } = process.env;
const reporter = new WorkflowReporter({
  write: (line) => process.stdout.write(`${line}\n`),
  workspace,
  interval: seconds(5),
  clock: () => performance.now(),
});
// Connections that are kept alive must not hold the job.
const end = (code: number): never => process.exit(code);
process.once('uncaughtException', (error) => {
  reporter.error(error.stack ?? error.message);
  end(EXIT.failure);
});
const interrupt = new Interrupt(
  process,
  (signal) => reporter.warning(`${signal}: stopping; transfers are given up, what was fetched is kept`),
  end,
);
const isGood = await packStep({
  reporter,
  signal: interrupt.signal,
  environment: process.env,
  runCredentialHelper: askCredentialHelper,
});
end(interrupt.exitCode ?? (isGood ? EXIT.success : EXIT.failure));
