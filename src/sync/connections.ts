import { type ConnectionParts, openRegistries as open } from '../registry/connections.ts';
import type { Registries } from '../registry/registries.ts';
import type { SyncSettings } from './settings.ts';

/** Opens the registries of a run: logins from the settings, then from Docker's configuration. Throws `CA_FILE_MALFORMED`. */
export function openRegistries(settings: SyncSettings, parts: ConnectionParts): Promise<Registries> {
  const { destination, username, password } = settings;
  return open({ ...settings, login: { host: destination, username, password } }, parts);
}
