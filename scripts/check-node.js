// npm skips optional packages that fail without a message, including the Node 24 of this project.
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `keel-pkg needs Node 24 or newer, this is ${process.version}. Run "npm ci": it brings one for Linux.`,
  );
  process.exit(1);
}
