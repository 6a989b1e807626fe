import { secretForms } from '../lib/secret-forms.ts';
import { formatCommand } from './workflow-command.ts';

function addMask(text: string): void {
  process.stdout.write(`${formatCommand('add-mask', text)}\n`);
}

/**
 * Makes the runner hide a secret that a user gave, in every form in which it travels. User names stay readable: GitHub
 * drops an output that holds a masked word, and user names are often part of image names.
 */
export function maskSecret(secret: string, mask: (text: string) => void = addMask): void {
  // The runner masks line by line, so a line of a secret is as telling as the whole.
  const forms = new Set([...secretForms(secret), ...secret.split(/\r?\n/)]);
  for (const form of forms) if (form.trim() !== '') mask(form);
}

/** Makes the runner hide a token that a registry gave. There may be thousands, and nobody repeats one encoded. */
export function maskToken(token: string, mask: (text: string) => void = addMask): void {
  if (token.trim() !== '') mask(token);
}
