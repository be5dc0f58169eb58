// Azurite's blob service, which ends with whoever started it, also when that is killed: then the pipe to standard input closes.
process.stdin.on('end', () => process.exit(0)).resume();
require('azurite/dist/src/blob/main.js');
