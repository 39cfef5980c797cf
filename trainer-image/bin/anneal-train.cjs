#!/usr/bin/env node
// Says which Node.js is needed, in words that each of them can parse, before anything is loaded that an older one cannot.
'use strict';

var needed = 24;

if (Number(process.versions.node.split('.')[0]) < needed) {
  process.stderr.write('error: anneal-train needs Node.js ' + needed + ' or later, and this is ' + process.version + '. Install it from https://nodejs.org and run the command again.\n');
  process.exit(2);
}
require('./start.cjs');
