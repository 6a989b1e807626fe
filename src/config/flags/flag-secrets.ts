import type { Flag } from './flag.ts';
import { type FlagSource, flagText, inheritedTexts } from './flag-source.ts';

/**
 * Returns every secret in the texts of flags, from all places where one is set: an overridden one must not be shown either.
 * The form `user:secret` of a Basic login is among them.
 */
export function secretsIn(flags: readonly Flag[], source: FlagSource): readonly string[] {
  const userOf = ({ user }: Flag): string | undefined => {
    const flag = flags.find(({ name }) => name === user);
    return flag && flagText(flag, source);
  };
  return flags
    .filter(({ secret }) => secret === true)
    .flatMap((flag) => {
      const user = userOf(flag);
      return (
        [source.values.get(flag.name) ?? '', ...inheritedTexts(flag, source)]
          .filter((text) => text.trim() !== '')
          // Some are used without the line end of the file that they come from.
          .flatMap((text) => [...new Set([text, text.trim()])])
          .flatMap((secret) => (user === undefined ? [secret] : [secret, `${user}:${secret}`]))
          .flatMap((secret) => [secret, ...(flag.secretsIn?.(secret) ?? [])])
      );
    });
}
