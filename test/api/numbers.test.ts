import { join } from 'node:path';
import { expect } from 'chai';
import { readCrds, root } from '../../hack/gen/schema.ts';
import { withCluster } from '../support/cluster.ts';

/** Manifests, by what is put into the shortest `spec.trainer`, that only a rule refuses: the API server cuts a bound such as 0.001 to a whole number where the value is one. */
const refused: readonly (readonly [string, string, string])[] = [
  ['fit', '{optimizer: {learningRate: 0}}', 'learningRate: Invalid value.*write a number above 0'],
  ['fit', '{clip: {value: 0}}', 'clip.value: .*write a number above 0'],
  ['fit', '{clip: {norm: 0}}', 'clip.norm: .*write a number above 0'],
  ['fit', '{clip: {globalNorm: 0}}', 'clip.globalNorm: .*write a number above 0'],
  ['fit', '{schedule: {name: ExponentialDecay, decaySteps: 10, decayRate: 0}}', 'decayRate: .*write a number above 0'],
  ['fit', '{schedule: {name: ReduceLROnPlateau, factor: 0}}', 'factor: .*write a number above 0'],
  ['evaluation', '{anomaly: {quantile: 0}}', 'quantile: .*write a number of at least 0.5'],
  ['evaluation', '{intervals: {confidence: 0}}', 'confidence: .*write a number of at least 0.5'],
  ['evaluation', '{threshold: {maximise: RecallAtPrecision, precision: 0}}', 'precision: .*write a number above 0'],
  ['evaluation', '{threshold: {maximise: PrecisionAtRecall, recall: 0}}', 'recall: .*write a number above 0'],
  ['data.sample', '{fraction: 0}', 'fraction: .*write a number above 0'],
  ['data.balance', '{method: SMOTE, ratio: 0}', 'ratio: .*write a number above 0'],
  ['data.privacy', '{generalise: [{column: a, method: Bin, width: 0}]}', 'width: .*write a number above 0'],
  ['data.privacy', '{generalise: [{column: a, method: Round, to: 0}]}', 'to: .*write a number above 0'],
  ['data.privacy', '{generalise: [{column: a, method: Bin, edges: [0, 65, 18.5]}]}', 'edges: .*write edges in ascending order'],
  ['data.privacy', '{drop: [a], generalise: [{column: a, method: Round, to: 5}]}', 'write each column in one of drop and generalise, not in both'],
  ['data.privacy', '{drop: [b, a], suppress: [{column: a, fewerThan: 5}]}', 'write each column in one of drop and suppress'],
  ['data.privacy', '{drop: [a], pseudonymise: {columns: [b, a], key: {secretName: s, key: k}}}', 'write each column in one of drop and pseudonymise'],
  ['data.privacy', '{pseudonymise: {columns: [a], key: {secretName: s, key: k}}, generalise: [{column: a, method: Prefix, length: 2}]}', 'write each column in one of pseudonymise and generalise'],
  ['data.privacy', '{pseudonymise: {columns: [a], key: {secretName: s, key: k}}, suppress: [{column: a, fewerThan: 5}]}', 'write each column in one of pseudonymise and suppress'],
  ['data.pipeline', '[{select: {method: Variance, keep: 2.5}}]', 'keep: .*write a whole number of columns, or a share'],
  ['data.pipeline', '[{select: {method: Variance, keep: 0}}]', 'keep: .*write a whole number of columns, or a share'],
  ['data.pipeline', '[{pca: {components: 1.5}}]', 'components: .*write a whole number of components, or a share'],
  // Of a highest number the API server keeps less.
  ['data.split', '{validation: 1, test: 0}', 'validation: Invalid value: .*less than or equal to 0'],
  ['fit', '{optimizer: {beta1: 1}}', 'beta1: Invalid value: .*less than or equal to 0'],
];

const taken: readonly (readonly [string, string])[] = [
  ['fit', '{optimizer: {learningRate: 1}}'],
  ['fit', '{optimizer: {learningRate: 1.0e-10}}'],
  ['evaluation', '{intervals: {confidence: 0.5}}'],
  ['data.sample', '{fraction: 1}'],
  ['data.pipeline', '[{select: {method: Variance, keep: 0.5}}, {select: {method: Variance, keep: 3}}, {pca: {components: 2.0}}]'],
  ['data.privacy', '{drop: [a], pseudonymise: {columns: [b], key: {secretName: s, key: k}}, generalise: [{column: c, method: Bin, edges: [-1.5, 0, 18]}], suppress: [{column: c, fewerThan: 2}]}'],
];

function manifest(place: string, written: string): string {
  const [data, top] = place.startsWith('data.') ? [`, ${place.slice('data.'.length)}: ${written}`, ''] : ['', `    ${place}: ${written}\n`];
  return `apiVersion: anneal.dev/v1alpha1
kind: TrainingJob
metadata: {name: numbers}
spec:
  trainer:
    data: {source: {uri: "https://example.com/x.csv"}, target: label${data}}
    model: {preset: MLP}
${top}`;
}

describe('numbers in a manifest', function suite() {
  this.timeout(120_000);
  const cluster = withCluster({ crds: readCrds().map(({ plural }) => join(root, 'charts/anneal/files/crds', `${plural}.yaml`)) });
  const apply = async (input: string): Promise<string> => {
    try {
      return await cluster.plane.kubectl(['apply', '--dry-run=server', '-n', cluster.namespace, '-f', '-'], { input });
    } catch (error) {
      return String(error instanceof Error ? error.message : error);
    }
  };

  for (const [place, written, words] of refused) {
    it(`are refused as ${place}: ${written}`, async () => {
      expect(await apply(manifest(place, written))).to.match(new RegExp(words));
    });
  }

  for (const [place, written] of taken) {
    it(`are taken as ${place}: ${written}`, async () => {
      expect(await apply(manifest(place, written))).to.contain('created (server dry run)');
    });
  }
});
