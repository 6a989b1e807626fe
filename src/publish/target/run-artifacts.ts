/** What is needed of `@actions/artifact`'s client; its own class fits. */
export interface ArtifactStore {
  uploadArtifact(
    name: string,
    files: string[],
    rootDirectory: string,
    options: { skipArchive: boolean },
  ): Promise<{ id?: number; digest?: string }>;
  /** Throws an error named `ArtifactNotFoundError` when the run has none of that name. */
  getArtifact(name: string): Promise<{ artifact: { id: number; size: number; digest?: string } }>;
  deleteArtifact(name: string): Promise<unknown>;
}

/** The artifacts of a workflow run. */
export interface RunArtifacts {
  /** Called when the client is first needed, as it is heavy. */
  readonly openStore: () => Promise<ArtifactStore>;
  /** The page of the run, such as `https://github.com/owner/name/actions/runs/1`. */
  readonly runUrl: string;
}
