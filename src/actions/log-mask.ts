import { secretForms } from '../lib/secret-forms.ts';
import { formatCommand } from './workflow-command.ts';

function addMask(text: string): void {
  process.stdout.write(`${formatCommand('add-mask', text)}\n`);
}

/**
 * Makes the runner mask a secret from the settings, in every encoding in which it is sent. User names are not masked:
 * GitHub drops outputs that contain a masked word, and user names are often part of image names.
 */
export function maskSecret(secret: string, mask: (text: string) => void = addMask): void {
  // The runner masks line by line, so each line of a secret needs a mask of its own.
  const forms = new Set([...secretForms(secret), ...secret.split(/\r?\n/)]);
  for (const form of forms) if (form.trim() !== '') mask(form);
}

/** Makes the runner mask a token from a registry, in one form only: there may be thousands, and nobody encodes them. */
export function maskToken(token: string, mask: (text: string) => void = addMask): void {
  if (token.trim() !== '') mask(token);
}
