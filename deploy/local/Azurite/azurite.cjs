// Azurite's blob service, which ends with whoever started it, also when that is killed: then the pipe to standard input closes.
process.stdin.on('end', () => process.exit(0)).resume();
// Every ten minutes it looks for what no blob refers to, and answers nobody while it deletes that: for a minute where there are twenty thousand. It also takes what is being written just then for such.
const constants = require('azurite/dist/src/blob/utils/constants');
if (!constants.DEFAULT_GC_INTERVAL_MS) throw new Error('This version of Azurite has its interval of garbage collection elsewhere: set that one.');
constants.DEFAULT_GC_INTERVAL_MS = 2 ** 31 - 1;
require('azurite/dist/src/blob/main.js');
