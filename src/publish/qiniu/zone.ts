import { Failure } from '../../lib/failure.ts';

/** A region of Kodo under the id that its hosts carry, such as `z0`. */
export type Zone = string & { readonly grammar: 'zone' };

// "keel" is the name that users of keel-pkg know for the zone of its own bucket.
const ZONES: ReadonlyMap<string, string> = new Map([
  ['keel', 'z0'],
  ['huadong', 'z0'],
  ['z0', 'z0'],
  ['cn-east-1', 'z0'],
  ['huadong2', 'cn-east-2'],
  ['cn-east-2', 'cn-east-2'],
  ['huabei', 'z1'],
  ['z1', 'z1'],
  ['cn-north-1', 'z1'],
  ['huanan', 'z2'],
  ['z2', 'z2'],
  ['cn-south-1', 'z2'],
  ['beimei', 'na0'],
  ['na0', 'na0'],
  ['us-north-1', 'na0'],
  ['singapore', 'as0'],
  ['xinjiapo', 'as0'],
  ['as0', 'as0'],
  ['ap-southeast-1', 'as0'],
  ['hanoi', 'ap-southeast-2'],
  ['ap-southeast-2', 'ap-southeast-2'],
  ['ap-southeast-3', 'ap-southeast-3'],
]);

/** Reads a zone by its id, its S3 name or the name that people call it by. Throws `ZONE_UNKNOWN`. */
export function parseZone(text: string, about: string): Zone {
  const id = ZONES.get(text.trim().toLowerCase().replace('zone_', '').replaceAll('_', '-'));
  if (id !== undefined) return id as Zone;
  throw new Failure({
    code: 'ZONE_UNKNOWN',
    about,
    message: `"${text.slice(0, 100)}" is not a zone of Qiniu`,
    hint: `leave it out to have it found, or write one of ${[...ZONES.keys()].join(', ')}`,
  });
}
