// Lists that only get shorter: whoever mends one deletes its name, nobody adds one.

/** Exports that nothing imports. */
export const FOR_NOBODY: readonly string[] = [];

/** Exports that only tests import. */
export const FOR_TESTS: readonly string[] = ['SignatureSettings'];
