// Optional packages fail without a word, and with them the Node 24 that this project brings along.
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `keel-pkg needs Node 24 or newer, this is ${process.version}. Run "npm ci": it brings one for Linux.`,
  );
  process.exit(1);
}
