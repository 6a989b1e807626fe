import type { toSignedEntity } from '@sigstore/verify';
import { Untrusted } from './untrusted.ts';

type Timestamps = ReturnType<typeof toSignedEntity>['timestamps'];
type Timestamp = Extract<Timestamps[number], { readonly $case: 'timestamp-authority' }>['timestamp'];

/** GeneralizedTime; the authority chooses how many digits a fraction has. https://www.rfc-editor.org/rfc/rfc3161#section-2.4.2 */
const TIME = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(?:\.(\d{1,9}))?Z$/;
const GENERALIZED_TIME = 0x18;
/** The index of the time among the fields of a signed time: version, policy, imprint, serial number, time. */
const TIME_FIELD = 4;

/** https://www.rfc-editor.org/rfc/rfc3161#section-2.4.2 */
const GRANTED = 0n;
const GRANTED_WITH_CHANGES = 1n;

function readTime(text: string): Date | undefined {
  const [, year, month, day, hour, minute, second, fraction = ''] = TIME.exec(text) ?? [];
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const time = new Date(`${iso}.${fraction.slice(0, 3).padEnd(3, '0')}Z`);
  // JavaScript takes the 31st of February for the 3rd of March.
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(iso) ? time : undefined;
}

/**
 * Completes the timestamps of a signature, so that all forms that authorities write can be read. @sigstore/core reads
 * fractions of a second only with three digits, and signatures with RSA only over SHA-256. The time is read from the very
 * field that it verifies. Throws `Untrusted`.
 */
export function completeTimestamps(timestamps: Timestamps): void {
  for (const each of timestamps) {
    if (each.$case === 'timestamp-authority') complete(each.timestamp);
  }
}

function complete(timestamp: Timestamp): void {
  let time: Date | undefined;
  let algorithm: string | undefined;
  let isGranted = false;
  try {
    isGranted = timestamp.status === GRANTED || timestamp.status === GRANTED_WITH_CHANGES;
    const field = timestamp.tstInfo.root.subs[TIME_FIELD];
    if (field?.tag.toDER() === GENERALIZED_TIME) time = readTime(field.value.toString('latin1'));
    // An algorithm that it does not know is undefined, although its types exclude that.
    algorithm = timestamp.signatureAlgorithm || timestamp.signerDigestAlgorithm;
  } catch (cause) {
    throw new Untrusted('its timestamp is malformed', { cause });
  }
  if (!isGranted) throw new Untrusted('its timestamp is a refusal of the authority');
  if (time === undefined) throw new Untrusted('its timestamp has no time');
  Object.defineProperties(timestamp, {
    signingTime: { value: time },
    signatureAlgorithm: { value: algorithm },
  });
}

/**
 * Returns when a signature was made, according to each timestamp and each promise of a log. It does not verify them:
 * its callers do.
 */
export function signingTimes(timestamps: Timestamps): readonly Date[] {
  return timestamps.flatMap((each) => {
    if (each.$case === 'timestamp-authority') return [each.timestamp.signingTime];
    const { inclusionPromise, integratedTime } = each.tlogEntry;
    // Without a promise the time is not signed.
    return inclusionPromise === undefined ? [] : [new Date(Number(integratedTime) * 1000)];
  });
}
