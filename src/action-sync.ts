import { openAction } from './action-process.ts';
import { isPost } from './actions/step-state.ts';
import { mirrorStep, saveStep } from './actions/sync-step.ts';
import { askCredentialHelper } from './cli/credential-helper.ts';
import { EXIT } from './cli/exit-code.ts';
import { VERSION } from './cli/version.ts';

const { parts, end } = openAction('transfers are given up and the state is kept');
if (isPost()) {
  await saveStep(parts);
  process.exit(EXIT.success);
}
end(await mirrorStep({ ...parts, runCredentialHelper: askCredentialHelper, version: VERSION }));
