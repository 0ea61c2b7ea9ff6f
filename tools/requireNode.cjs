// Runs on any Node, also on one that is too old for the rest: plain JavaScript of long ago.
var version = process.versions.node.split('.').map(Number);
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  console.error(
    'Sluice needs Node 20.19 or newer; this is ' + process.versions.node + '. Get one at https://nodejs.org',
  );
  process.exit(1);
}

// What npm has binaries for: without them the first import would end in a stack trace.
var isMusl = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime;
if (isMusl || (process.platform === 'darwin' && process.arch === 'x64')) {
  console.error(
    'Sluice has no model runtime for this platform (' +
      (isMusl ? 'Linux without glibc' : 'Mac with Intel') +
      '): it runs on Linux with glibc and on Macs with Apple silicon.',
  );
  process.exit(1);
}
