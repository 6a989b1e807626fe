import { openAction } from './actions/action-process.ts';
import { isPost } from './actions/post-handover.ts';
import { mirrorStep, saveStep } from './actions/sync-step.ts';
import { askCredentialHelper } from './process/credential-helper.ts';
import { EXIT } from './process/exit-code.ts';
import { VERSION } from './process/version.ts';

const { parts, end } = openAction('transfers are cancelled and the state is kept');
if (isPost()) {
  await saveStep(parts);
  process.exit(EXIT.success);
}
end(await mirrorStep({ ...parts, runCredentialHelper: askCredentialHelper, version: VERSION }));
