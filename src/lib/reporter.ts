/** Where in a file something stands; lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** How far a run is. The front decides how often and in which form it shows it. */
export interface Progress {
  /** What is being done, as one word in the present: `mirroring`, `downloading`, `packing`. */
  readonly activity: string;
  readonly done: number;
  readonly total: number;
  /** What `done` and `total` count, in the plural: `images`, `files`. */
  readonly unit: string;
  readonly bytes: number;
  /** Bytes that will have moved in the end, where that is known. */
  readonly bytesTotal?: number | undefined;
  /** What is under way now, the longest-running first, each as it should be shown. */
  readonly current: readonly string[];
}

/** The voice of a run: the same words on a terminal and in a workflow's log, each front in its own form. */
export interface Reporter {
  /** Opens a section; it closes the one before. */
  section(title: string): void;
  /** One thing that happened, on one line. */
  line(text: string): void;
  /** What only someone who hunts a fault wants to see. */
  detail(text: string): void;
  warning(text: string, place?: Place): void;
  error(text: string, place?: Place): void;
  progress(progress: Progress): void;
  /** Ends sections and progress, so that what comes next stands for itself. */
  close(): void;
}
