import { describeCrashes } from '../support/faults/crash-suite.ts';
import { dice } from '../support/faults/random.ts';

/** All of them are tried by `npm run test:e2e` and `npm run test:faults`. */
const points = 14;

describeCrashes('an operator that is killed before or after one of its writes', (all) => dice(2026).shuffled(all).slice(0, points));
