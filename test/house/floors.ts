import { globSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** What each floor of src/ may import besides itself. `.` holds the entries, which only wire. */
export const FLOORS: Readonly<Record<string, readonly string[]>> = {
  '.': ['actions', 'cli', 'process'],
  actions: ['process', 'summary', 'sync', 'pack', 'publish', 'upstream', 'registry', 'config', 'lib'],
  cli: ['process', 'summary', 'sync', 'pack', 'publish', 'upstream', 'registry', 'config', 'lib'],
  // Pages about what became of a run, of either tool.
  summary: ['sync', 'pack', 'publish', 'config', 'lib'],
  sync: ['signatures', 'upstream', 'registry', 'config', 'lib'],
  pack: ['signatures', 'upstream', 'registry', 'config', 'lib'],
  // What makers publish on the web: files with their checksums, releases, what goes with a release.
  upstream: ['config', 'registry', 'process', 'lib'],
  // Whose images these are: both tools ask, and both have the answer in their results.
  signatures: ['registry', 'config', 'lib'],
  publish: ['registry', 'config', 'lib'],
  // The image set and versions.json name images, so config speaks of references; the registry knows no configuration.
  config: ['registry', 'lib'],
  registry: ['lib'],
  // How a process begins and ends: signals, exit codes, version, credential helpers.
  process: ['lib'],
  lib: [],
};

/** The folders of a floor by levels, the lowest first. `.` stands for the files beside the folders. */
export type Rooms = readonly (readonly string[])[];

/**
 * Each folder of publish/ is a kind of target or brings the images of a package somewhere, but for the one with what targets
 * share: a new one needs no line here.
 */
const TARGET_FOLDERS = [
  ...new Set(globSync('src/publish/*/*.ts').map((file) => basename(dirname(file)))),
].filter((folder) => folder !== 'contract');

/** A room may import the rooms of lower levels, and none of its own level or above. */
export const ROOMS: Readonly<Record<string, Rooms>> = {
  lib: [['text'], ['.'], ['http', 'archive']],
  registry: [['oci'], ['auth'], ['.'], ['blob']],
  config: [['kubernetes'], ['.'], ['images'], ['flags']],
  // The texts of commands know nothing of how a command runs.
  cli: [['text'], ['.']],
  sync: [['.'], ['select', 'state'], ['plan', 'report'], ['copy'], ['run'], ['check', 'doctor']],
  pack: [['archive', 'manifest'], ['plan'], ['.'], ['fetch'], ['contents'], ['run']],
  upstream: [['fetch'], ['.']],
  publish: [['contract'], TARGET_FOLDERS, ['.']],
};
