/** What `--version` prints. `make build version=v1.2.3` replaces it (scripts/build-cli.ts). */
export const VERSION: string = 'v1.0.0';
