import { openAction } from './actions/action-process.ts';
import { packStep } from './actions/pack-step.ts';
import { askCredentialHelper } from './process/credential-helper.ts';

// The qiniu and artifact packages still call url.parse(); a user can do nothing about it.
process.noDeprecation = true;

const { parts, end } = openAction('transfers are cancelled, fetched files are kept');
end(await packStep({ ...parts, runCredentialHelper: askCredentialHelper }));
