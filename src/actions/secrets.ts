import { secretForms } from '../lib/secret-forms.ts';
import { formatCommand } from './workflow-command.ts';

function addMask(text: string): void {
  process.stdout.write(`${formatCommand('add-mask', text)}\n`);
}

/**
 * Makes the runner hide a password in every form in which it travels, by itself and with its user's name. The name
 * stays readable: an output that holds a masked word is dropped by GitHub, and user names are often part of image names.
 */
export function maskPassword(
  username: string | undefined,
  password: string,
  mask: (text: string) => void = addMask,
): void {
  const whole = [password, ...(username === undefined ? [] : [`${username}:${password}`])];
  const forms = new Set(whole.flatMap((text) => [...secretForms(text)]));
  // The runner masks line by line, so a line of a password is as telling as the whole.
  for (const line of password.split(/\r?\n/)) forms.add(line);
  for (const form of forms) if (form.trim() !== '') mask(form);
}

/** Makes the runner hide a token that a registry or GitHub gave. */
export function maskToken(token: string, mask: (text: string) => void = addMask): void {
  if (token.trim() !== '') mask(token);
}
