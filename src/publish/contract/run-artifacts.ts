/** The part of `@actions/artifact`'s client that publishing uses. */
export interface ArtifactStore {
  uploadArtifact(
    name: string,
    files: string[],
    rootDirectory: string,
    options: { skipArchive: boolean },
  ): Promise<{ id?: number; digest?: string }>;
  /** Throws an error named `ArtifactNotFoundError` if the run has none of that name. */
  getArtifact(name: string): Promise<{ artifact: { id: number; size: number; digest?: string } }>;
  deleteArtifact(name: string): Promise<unknown>;
}

/** The artifacts of a workflow run. */
export interface RunArtifacts {
  /** Loads the client; called on first use, because loading is slow. */
  readonly openStore: () => Promise<ArtifactStore>;
  /** The page of the run, such as `https://github.com/owner/name/actions/runs/1`. */
  readonly runUrl: string;
}
