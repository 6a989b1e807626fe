const BEGINNING = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';

/** Returns the bytes of a PEM certificate; the first one if there are several; undefined if there is none. */
export function readPem(text: string): Buffer | undefined {
  const start = text.indexOf(BEGINNING);
  const end = text.indexOf(END, start);
  if (start < 0 || end < 0) return undefined;
  return Buffer.from(text.slice(start + BEGINNING.length, end), 'base64');
}
