import { describe, expect, test } from 'vitest';
import { TerminalReporter } from '../../src/cli/terminal-reporter.ts';
import type { Progress } from '../../src/lib/reporter.ts';
import { Screen } from '../support/screen.ts';

const MIB = 1024 * 1024;

/** A run as `run.ts` tells it: one image moves, one fails, one name matches nothing. */
function tellRun(reporter: TerminalReporter, clock: { now: number }): void {
  const progress = (done: number, megabytes: number, current: readonly string[]): Progress => ({
    activity: 'mirroring',
    done,
    total: 40,
    unit: 'images',
    bytes: megabytes * MIB,
    bytesTotal: 600 * MIB,
    current,
  });
  reporter.section('Looking for images at registry.k8s.io');
  reporter.line('36 repositories, 1204 tags, 40 wanted');
  reporter.warning('"kube-aggregator" matches nothing', { file: 'image_set.json', line: 12, column: 5 });
  reporter.section('Mirroring to registry.example.com/keel');
  reporter.progress(progress(0, 0, ['pause:3.10', 'etcd:3.6.1-0']));
  clock.now += 5_000;
  reporter.progress(progress(1, 50, ['etcd:3.6.1-0']));
  reporter.line('pause:3.10  copied  310 KiB in 1.2 s');
  clock.now += 5_000;
  reporter.progress(progress(2, 100, ['etcd:3.6.1-0', 'coredns:v1.12.1']));
  reporter.error('registry.k8s.io/etcd:3.6.1-0: layer 2 of 5 is not what its digest says');
}

function tell(options: Partial<ConstructorParameters<typeof TerminalReporter>[0]> & { terminal: boolean }) {
  const screen = new Screen(options.terminal ? { columns: 60 } : {});
  const troubles = options.terminal ? screen : new Screen({});
  const clock = { now: 1_000_000 };
  const reporter = new TerminalReporter({
    stdout: screen,
    stderr: troubles,
    environment: {},
    now: () => clock.now,
    ...options,
  });
  tellRun(reporter, clock);
  return { screen, troubles, reporter };
}

test('a log file gets plain lines, progress now and then, and troubles apart', () => {
  const { screen, troubles } = tell({ terminal: false });
  expect(screen.written).toBe(`\
Looking for images at registry.k8s.io
36 repositories, 1204 tags, 40 wanted

Mirroring to registry.example.com/keel
pause:3.10  copied  310 KiB in 1.2 s
mirroring 2 of 40 images, 100 MiB of 600 MiB, 10 MiB/s, about 50.0 s left; now etcd:3.6.1-0, coredns:v1.12.1
`);
  expect(troubles.written).toBe(`\
warning: image_set.json:12:5: "kube-aggregator" matches nothing
error: registry.k8s.io/etcd:3.6.1-0: layer 2 of 5 is not what its digest says
`);
});

describe('on a terminal', () => {
  test('a block below the lines shows what is under way, cut to the width', () => {
    const { screen } = tell({ terminal: true, environment: { NO_COLOR: '1' } });
    expect(screen.text()).toBe(`\
Looking for images at registry.k8s.io
36 repositories, 1204 tags, 40 wanted
warning: image_set.json:12:5: "kube-aggregator" matches nothing

Mirroring to registry.example.com/keel
pause:3.10  copied  310 KiB in 1.2 s
error: registry.k8s.io/etcd:3.6.1-0: layer 2 of 5 is not what its digest says
mirroring 2 of 40 images, 100 MiB of 600 MiB, 10 MiB/s, ab…
  etcd:3.6.1-0
  coredns:v1.12.1
`);
    expect(screen.cursorHidden).toBe(true);
  });

  test('closing takes the block away and gives the cursor back', () => {
    const { screen, reporter } = tell({ terminal: true, environment: { NO_COLOR: '1' } });
    reporter.close();
    expect(screen.text()).toMatch(/not what its digest says\n$/);
    expect(screen.cursorHidden).toBe(false);
  });

  test('many items under way end in a count', () => {
    const screen = new Screen({ columns: 60 });
    const reporter = new TerminalReporter({ stdout: screen, stderr: screen, environment: { NO_COLOR: '1' } });
    const current = Array.from({ length: 30 }, (_, index) => `image-${index}`);
    reporter.progress({ activity: 'mirroring', done: 0, total: 30, unit: 'images', bytes: 0, current });
    const lines = screen.text().trimEnd().split('\n');
    expect([lines.length, lines[0], lines[1], lines.at(-1)]).toEqual([
      9,
      'mirroring 0 of 30 images',
      '  image-0',
      '  and 23 more',
    ]);
  });

  test('one that cannot move its cursor gets plain lines', () => {
    const { screen } = tell({ terminal: true, environment: { TERM: 'dumb' } });
    expect(screen.written).not.toContain('\x1b');
    expect(screen.written).toContain('mirroring 2 of 40 images, 100 MiB of 600 MiB');
  });
});

test('with --json nothing for people goes to standard output', () => {
  const { screen, troubles } = tell({ terminal: false, json: true });
  expect(screen.written).toBe('');
  expect(troubles.written).toContain('pause:3.10  copied  310 KiB in 1.2 s\n');
});

test.each<[string, Record<string, string>, boolean, boolean]>([
  ['a terminal', {}, true, true],
  ['a file', {}, false, false],
  ['a terminal with NO_COLOR', { NO_COLOR: '1' }, true, false],
  ['a terminal with an empty NO_COLOR', { NO_COLOR: '' }, true, true],
  ['a file with FORCE_COLOR', { FORCE_COLOR: '1' }, false, true],
  ['a terminal with FORCE_COLOR=0', { FORCE_COLOR: '0' }, true, false],
  ['a dumb terminal', { TERM: 'dumb' }, true, false],
])('colour on %s', (_, environment, terminal, coloured) => {
  const { screen, troubles } = tell({ terminal, environment });
  expect(screen.written.includes('\x1b[1mMirroring to registry.example.com/keel\x1b[22m')).toBe(coloured);
  expect(troubles.written.includes('\x1b[31merror:\x1b[39m registry.k8s.io')).toBe(coloured);
});

test('details are for those who hunt a fault', () => {
  const shown = (environment: Record<string, string>) => {
    const screen = new Screen({});
    new TerminalReporter({ stdout: screen, stderr: screen, environment }).detail('GET /v2/ 200');
    return screen.written;
  };
  expect(shown({})).toBe('');
  expect(shown({ KEEL_DEBUG: '1' })).toBe('GET /v2/ 200\n');
});
