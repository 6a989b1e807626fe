import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { describeFailure, Failure, failureCode, faultOf, isTransient } from '../../src/lib/failure.ts';

const BUSY = { code: 'BUSY', about: 'registry.example', message: 'it is busy' };
const systemError = Object.assign(new Error('open'), { code: 'ENOENT' });

describe('a failure', () => {
  it('is the fault of the world and not repeated, unless it says otherwise', () => {
    const failure = new Failure(BUSY);
    expect({ ...failure }).toMatchObject({ fault: 'world', transient: false, retryAt: undefined });
    expect([faultOf(failure), isTransient(failure)]).toEqual(['world', false]);
    const other = new Failure({ ...BUSY, fault: 'usage', transient: true, retryAt: 7 });
    expect([faultOf(other), isTransient(other), other.retryAt]).toEqual(['usage', true, 7]);
  });

  it('is shown on one line, with its hint', () => {
    expect(describeFailure(new Failure(BUSY))).toBe('registry.example: it is busy');
    expect(describeFailure(new Failure({ ...BUSY, hint: 'wait' }))).toBe(
      'registry.example: it is busy (wait)',
    );
  });
});

test('an error that is no failure is the fault of the program, and not repeated', () => {
  expect([faultOf(systemError), isTransient(systemError)]).toEqual(['program', false]);
  expect([failureCode(systemError), failureCode(new Error('x')), failureCode('x')]).toEqual([
    'ENOENT',
    'UNEXPECTED',
    'UNEXPECTED',
  ]);
  expect([describeFailure(systemError), describeFailure('x')]).toEqual(['open', 'x']);
});

/** What a user corrects in a flag or in a file that was named: a command that ends with one of these exits with 2. */
const USAGE = [
  'BETA_MALFORMED',
  'CA_FILE_MALFORMED',
  'CONFIGURATION_MALFORMED',
  'CONFIGURATION_UNREADABLE',
  'DATE_MALFORMED',
  'DESTINATION_MISSING',
  'DIGEST_MALFORMED',
  'DURATION_MALFORMED',
  'FILE_NOT_OURS',
  'FLAG_MALFORMED',
  'IMAGES_CONTRADICT',
  'IMAGES_MISSING',
  'IMAGES_UNREADABLE',
  'IMAGE_SOURCE_MALFORMED',
  'KUBERNETES_UNRELEASED',
  'KUBERNETES_VERSION_MALFORMED',
  'LOCK_MALFORMED',
  'MANIFEST_UNREADABLE',
  'OVERLAY_UNUSABLE',
  'PACKAGE_UNREADABLE',
  'PATH_UNUSABLE',
  'PLACE_TAKEN',
  'PLATFORM_MALFORMED',
  'RANGE_MALFORMED',
  'REFERENCE_MALFORMED',
  'REGEX_MALFORMED',
  'REPORTS_DISAGREE',
  'REPORT_MALFORMED',
  'REPORT_UNREADABLE',
  'SHARD_MALFORMED',
  'SIGNATURE_POLICY_MALFORMED',
  'STATE_MISSING',
  'STATE_NOT_OURS',
  'TEMPLATE_MALFORMED',
  'TRUSTED_ROOT_MALFORMED',
  'URI_MALFORMED',
  'VERSIONS_MALFORMED',
];
/** What a service, an archive or a file of another program is: nobody wrote it for this command. */
const WORLD = ['ANSWER_MALFORMED', 'ARCHIVE_UNREADABLE', 'DOCKER_CONFIG_UNREADABLE', 'STATE_ROW_UNREADABLE'];

/** Returns the object literal of a source text around a position. */
function literalAround(text: string, at: number): string {
  let start = at;
  for (let depth = 1; depth > 0 && start > 0; ) {
    start -= 1;
    depth += text[start] === '}' ? 1 : text[start] === '{' ? -1 : 0;
  }
  let end = at;
  for (let depth = 1; depth > 0 && end < text.length; end += 1) {
    depth += text[end] === '{' ? 1 : text[end] === '}' ? -1 : 0;
  }
  return text.slice(start, end);
}

describe('the fault of each code', () => {
  const made = globSync('src/**/*.ts').flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    return [...text.matchAll(/\bcode: '([A-Z_]+)'/g)].map(({ 1: code = '', index }) => ({
      code,
      file,
      fault: /\bfault: '(\w+)'/.exec(literalAround(text, index))?.[1] ?? 'world',
    }));
  });
  const codesOf = (fault: string): string[] =>
    [...new Set(made.filter((each) => each.fault === fault).map(({ code }) => code))].sort();

  it('is the user’s exactly for what a user wrote, wherever such a failure is made', () => {
    expect(codesOf('usage')).toEqual(USAGE);
    expect(made.filter(({ code, fault }) => USAGE.includes(code) && fault !== 'usage')).toEqual([]);
  });

  it('is decided for each code that sounds like a mistake', () => {
    const sounding = made.map(({ code }) => code).filter((code) => /_(?:MALFORMED|UNREADABLE)$/.test(code));
    expect(sounding.filter((code) => !USAGE.includes(code) && !WORLD.includes(code))).toEqual([]);
    expect(codesOf('world')).toEqual(expect.arrayContaining(WORLD));
  });
});
