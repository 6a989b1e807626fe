/** What a request to the releases API asks for. */
export type ReleaseOperation =
  | 'get-by-tag'
  | 'list'
  | 'create'
  | 'update'
  | 'list-assets'
  | 'upload'
  | 'delete-asset'
  | 'download'
  | 'unknown';

/** One request as it was answered. */
export interface ReleaseJournalEntry {
  readonly operation: ReleaseOperation;
  readonly asset: string | undefined;
  bytes: number;
  /** 0 where the connection was cut. */
  status: number;
}

/** A trouble that befalls one request (or `times`) of an operation. */
export interface ReleaseFault {
  readonly operation: ReleaseOperation;
  times?: number;
  readonly answer?: { readonly status: number; readonly message?: string };
  /** Cut the connection after that many bytes; the asset stays in the state `starter`, as it does at GitHub. */
  readonly cutAfter?: number;
  /** Keep other bytes than were sent. */
  readonly damage?: boolean;
  /** Take the body and never answer. */
  readonly silent?: boolean;
}
