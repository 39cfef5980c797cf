import { describeCrashes } from '../support/faults/crash-suite.ts';

describeCrashes('an operator that is killed before and after every one of its writes', (all) => all);
