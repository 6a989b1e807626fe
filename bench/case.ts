import type { Sample } from './sample.ts';

/** One who does the work of a case. */
export interface Contender {
  /** `keel` is this project. */
  readonly name: string;
  readonly run: () => Promise<Sample>;
}

/** What a case needs while it is measured. */
export interface Stage extends AsyncDisposable {
  readonly contenders: readonly Contender[];
  /** Numbers about the work itself, which bounds and the cost model are made of. */
  readonly facts?: Readonly<Record<string, number>>;
}

/** Some work that is measured, for this project and for others who can do it. */
export interface Case {
  readonly id: string;
  readonly part: Part;
  readonly title: string;
  /** At most so many rounds, where one takes long. */
  readonly rounds?: number;
  readonly open: (wants: (contender: string) => boolean) => Promise<Stage>;
}

export const PARTS = ['sync', 'noop', 'pack', 'upload'] as const;
export type Part = (typeof PARTS)[number];
