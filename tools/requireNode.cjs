// Runs on any Node, also on one that is too old for the rest: plain JavaScript of long ago.
var version = process.versions.node.split('.').map(Number);
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  console.error(
    'Sluice needs Node 20.19 or newer; this is ' + process.versions.node + '. Get one at https://nodejs.org',
  );
  process.exit(1);
}
