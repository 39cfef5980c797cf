// Begins the program: the bundle that lies above where this is a package, the sources where it is a checkout.
'use strict';

const { existsSync } = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const verbs = ['run', 'serve', 'version'];
if (!verbs.includes(process.argv[2])) process.argv.splice(2, 0, 'run');

const bundle = path.join(__dirname, '..', 'main.js');
import(pathToFileURL(existsSync(bundle) ? bundle : path.join(__dirname, '..', 'src', 'main.ts')).href);
