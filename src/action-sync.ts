import { WorkflowReporter } from './actions/reporter.ts';
import { isPost } from './actions/step-state.ts';
import { mirrorStep, saveStep } from './actions/sync-step.ts';
import { formatCommand } from './actions/workflow-command.ts';
import { askCredentialHelper } from './cli/credential-helper.ts';
import { EXIT } from './cli/exit-code.ts';
import { Interrupt } from './cli/interrupt.ts';
import { VERSION } from './cli/version.ts';
import { seconds } from './lib/duration.ts';

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
// Connections that are kept alive, and a cache that does not answer, must not hold the job.
const end = (code: number): never => process.exit(code);
process.once('uncaughtException', (error) => {
  reporter.error(error.stack ?? error.message);
  end(EXIT.failure);
});
const interrupt = new Interrupt(
  process,
  (signal) => reporter.warning(`${signal}: stopping; transfers are given up and the state is kept`),
  end,
);
const parts = { reporter, signal: interrupt.signal, environment: process.env };
if (isPost()) {
  await saveStep(parts);
  end(EXIT.success);
}
const isGood = await mirrorStep({ ...parts, runCredentialHelper: askCredentialHelper, version: VERSION });
end(interrupt.exitCode ?? (isGood ? EXIT.success : EXIT.failure));
