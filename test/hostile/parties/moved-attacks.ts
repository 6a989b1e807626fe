import type { Ending, Endings, SourceAttack } from './source-attack.ts';

type Mode = 'warn' | 'keep' | 'copy';
const MODES: readonly Mode[] = ['warn', 'keep', 'copy'];

const LATER = '2026-03-02T12:30:00Z';
const BEFORE = '2025-06-01T08:00:00Z';

const SAYS: Readonly<Record<Mode, string>> = {
  warn: '`warn` (default) | the run copies the new image, and reports the tag first when all images are done',
  keep: '`keep` | the destination stays unchanged, and the image fails with `TAG_MOVED`',
  copy: '`copy` | the run copies it like any other tag that changed (`CHANGED`)',
};

/** Images for each value of `--moved-tags` are below a path of its name. */
export function modesOfMovedTags(host: string): object {
  return Object.fromEntries(MODES.map((mode) => [`${host}/${mode}`, mode]));
}

/** The endings of an image that is offered under a tag of a version that had another. */
function ofVersion(mode: Mode, isOlder: boolean, isSigned: boolean): Endings {
  const told = mode === 'copy' ? {} : ({ moved: 'moved', isOlder } as const);
  const kept: Ending = { failed: 'TAG_MOVED', arrived: 'genuine', ...told };
  if (mode === 'keep') return { off: kept, warn: kept, require: kept };
  const copied = { copied: 'offered', ...told } as const;
  const verified: Ending = { ...copied, signature: 'verified' };
  return {
    off: copied,
    warn: isSigned ? verified : { ...copied, signature: 'unverified' },
    require: isSigned ? verified : { failed: 'SIGNATURE_MISSING', arrived: 'genuine', ...told },
  };
}

/** The endings of an older signed image that is offered under a tag that moves by nature. */
function ofMoving(mode: Mode): Endings {
  const told = mode === 'copy' ? {} : ({ moved: 'went-back', isOlder: true } as const);
  const wentBack: Ending = { copied: 'offered', signature: 'verified', ...told };
  return { off: { copied: 'offered' }, warn: wentBack, require: wentBack };
}

/** What a source tries with tags that were mirrored the night before. */
export const MOVED_ATTACKS: readonly SourceAttack[] = MODES.flatMap((mode): SourceAttack[] => {
  const at = { page: 'how-sync-decides.md', says: SAYS[mode], path: `${mode}/` } as const;
  return [
    {
      tries: `another image under the tag of a version, with --moved-tags ${mode}`,
      ...at,
      bend: (stage) => void stage.forge({ created: LATER }),
      ends: ofVersion(mode, false, false),
    },
    {
      tries: `an older signed image under the tag of a version, with --moved-tags ${mode}`,
      ...at,
      bend: (stage) => stage.sign(stage.forge({ created: BEFORE })),
      ends: ofVersion(mode, true, true),
    },
    {
      tries: `an older signed image under a tag that moves by nature, with --moved-tags ${mode}`,
      ...at,
      says: 'A tag that moves by nature is reported if it went back: with `--verify-signatures`, if the new image is signed and older than the previous one. The run copies it anyway, and does not report it with `copy`.',
      tag: 'latest',
      bend: (stage) => stage.sign(stage.forge({ created: BEFORE })),
      ends: ofMoving(mode),
    },
  ];
});
