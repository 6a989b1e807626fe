/** What `--version` prints. `make build version=v1.2.3` puts another one here (scripts/build-cli.ts). */
export const VERSION: string = 'v1.0.0';
