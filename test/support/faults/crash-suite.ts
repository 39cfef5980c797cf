import { expect } from 'chai';
import { crashMatrix, nameOfPoint } from './crash.ts';
import type { CrashPoint, MatrixReport } from './crash.ts';
import { trainingJobScenarios } from './scenarios.ts';
import { sharedBed } from './shared-bed.ts';

/** A mocha suite that kills the operator at the chosen writes of every scenario. */
export function describeCrashes(title: string, choose: (points: readonly CrashPoint[]) => readonly CrashPoint[]): void {
  describe(title, function crashSuite() {
    // A cold cache builds Kubernetes first.
    this.timeout(1_800_000);
    const reports = new Map<string, Promise<PromiseSettledResult<MatrixReport>>>();

    before(async () => {
      const bed = await sharedBed();
      // Side by side, each with an operator and a namespace of its own.
      for (const scenario of trainingJobScenarios) reports.set(scenario.name, Promise.allSettled([crashMatrix(bed, scenario, { choose })]).then(([settled]) => settled));
    });

    after(async () => {
      await Promise.all(reports.values());
    });

    for (const { name } of trainingJobScenarios) {
      it(`leaves the same objects, by as many creates and deletes, and breaks no invariant: ${name}`, async () => {
        const report = await reports.get(name);
        if (report?.status !== 'fulfilled') throw report?.reason;
        const { failures, points, unreached } = report.value;
        expect(failures).to.deep.equal([]);
        expect(points).to.be.at.least(8);
        // How often the status is told, and whether an event is folded, depends on what comes first; what is made and deleted does not.
        expect(unreached.filter(({ signature }) => !/status|events/.test(signature)).map(nameOfPoint)).to.deep.equal([]);
      });
    }
  });
}
