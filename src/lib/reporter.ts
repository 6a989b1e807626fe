/** A position in a file. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The progress of a run. The front end decides how often and how it shows it. */
export interface Progress {
  /** What the run does, as one word: `mirroring`, `downloading`, `packing`. */
  readonly activity: string;
  readonly done: number;
  readonly total: number;
  /** What `done` and `total` count, in the plural: `images`, `files`. */
  readonly unit: string;
  /** How many of the done ones failed. */
  readonly failed?: number | undefined;
  readonly bytes: number;
  /** The bytes to move in all, if that is known. */
  readonly bytesTotal?: number | undefined;
  /** Whether more bytes than that may be found. */
  readonly isAtLeast?: boolean | undefined;
  /** The names of what is in progress, as they are shown, the longest-running first. */
  readonly current: readonly string[];
  /** How far each of these is, in the same order; undefined for those without a note. */
  readonly notes?: readonly (string | undefined)[] | undefined;
}

/**
 * Takes the messages of a run. The texts are the same on a terminal and in a workflow's log; each formats them itself.
 */
export interface Reporter {
  /** Opens a section and closes the one before it. */
  section(title: string): void;
  /** Reports one event, on one line. */
  line(text: string): void;
  /** Reports something that is shown only for debugging. */
  detail(text: string): void;
  warning(text: string, place?: Place): void;
  error(text: string, place?: Place): void;
  progress(progress: Progress): void;
  /** Closes the section and the progress display; what follows is shown outside of them. */
  close(): void;
}
