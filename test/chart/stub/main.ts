/** Stands in for the operator where only its image is looked at. */
import process from 'node:process';

process.stdout.write(process.argv.includes('--version') ? 'stub\n' : 'started\n');
