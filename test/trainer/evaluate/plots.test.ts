import { expect } from 'chai';
import fc from 'fast-check';
import { askPython } from '../../../hack/python/venv.ts';
import { evaluate } from '../../../trainer-image/src/evaluate/evaluate.ts';
import { histogramPlot, importancePlot } from '../../../trainer-image/src/evaluate/plots/bars.ts';
import { confusionPlot, predictedPlot, residualPlot } from '../../../trainer-image/src/evaluate/plots/cells.ts';
import { calibrationPlot, learningPlot, precisionRecallPlot, rocPlot } from '../../../trainer-image/src/evaluate/plots/lines.ts';
import { evaluationPage } from '../../../trainer-image/src/evaluate/report.ts';
import { fontSize, titleSize, widthOf } from '../../../trainer-image/src/report/style.ts';
import { random } from '../../../trainer-image/src/data/random.ts';
import { classPredictions, uniform, valuePredictions } from './support.ts';

const long = 'Chrysanthemum morifolium var. longissimum <script>alert("&")</script>';

function plotsOf(evaluation: ReturnType<typeof evaluate>): string[] {
  if (evaluation.task === 'Regression') {
    return [predictedPlot(evaluation.predictedByTrue, evaluation.target), residualPlot(evaluation.errorByPredicted, evaluation.target), histogramPlot(evaluation.errors, 'Errors', 'error in EUR')];
  }
  const { curves, confusion, classes, calibration, scores } = evaluation;
  return [rocPlot(curves.roc), precisionRecallPlot(curves.precisionRecall, 0.3), confusionPlot(confusion ?? [], classes), calibrationPlot(calibration, calibration.class), histogramPlot(scores, 'Scores', 'probability')];
}

const named = (classes: readonly string[], rows: number, seed = 1) => evaluate({ part: 'test', target: long, predictions: { ...classPredictions({ rows, classes: classes.length, seed }), classes }, seed: 1 });
const numbered = (count: number): string[] => Array.from({ length: count }, (_, place) => `${place} ${long}`);

function history(epochs: number): Record<string, number>[] {
  const source = random(1, 'history');
  return Array.from({ length: epochs }, (_, epoch) => ({ loss: 2 * Math.exp(-epoch / 9) + 0.01 + 0.01 * uniform(source), val_loss: 0.5 + uniform(source) }));
}

const all = (): string[] => [
  ...[2, 5, 30, 100].flatMap((count) => plotsOf(named(numbered(count), 3000))),
  ...plotsOf(named(['a', 'b', 'c'], 1)),
  ...[valuePredictions({ rows: 100_000, noise: 3 }), valuePredictions({ rows: 1 }), { ...valuePredictions({ rows: 50 }), predicted: new Float64Array(50).fill(1e9) }]
    .flatMap((predictions) => plotsOf(evaluate({ part: 'test', target: long, predictions, seed: 1 }))),
  ...[1, 2, 50, 10_000].map((epochs) => learningPlot(history(epochs), 'loss', epochs)),
  importancePlot(numbered(60).map((name, at) => ({ name, mean: 0.3 - at / 100, deviation: 0.01 })), 'rocAuc'),
  importancePlot([{ name: long, mean: 0, deviation: 0 }], 'rmse'),
];

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Where a text stands, by the widths of a wide face. */
function boxesOf(svg: string): Box[] {
  return [...svg.matchAll(/<text x="([-\d.]+)" y="([-\d.]+)"[^>]*?font-size="(\d+)"([^>]*)>([^<]*)/g)].map(([, x = '', y = '', size = '', rest = '', shown = '']) => {
    const width = widthOf(shown.replace(/&\w+;|&#39;/g, 'x'), Number(size));
    const anchor = /text-anchor="(\w+)"/.exec(rest)?.[1] ?? 'start';
    const from = anchor === 'start' ? 0 : anchor === 'middle' ? -width / 2 : -width;
    const angle = (Number(/rotate\((-?\d+)/.exec(rest)?.[1] ?? 0) * Math.PI) / 180;
    const corners = [from, from + width].flatMap((across) => [-Number(size) / 2, Number(size) / 2].map((down) => [
      Number(x) + across * Math.cos(angle) - down * Math.sin(angle), Number(y) + across * Math.sin(angle) + down * Math.cos(angle)] as const));
    const [xs, ys] = [corners.map(([at]) => at), corners.map(([, at]) => at)];
    return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
  });
}

describe('a plot', () => {
  it('is well-formed, whatever the names', async function () {
    this.timeout(300_000);
    const strange = fc.sample(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), 24).map((name, at) => `${name}${at}\u0000\ud800`);
    const program = `
import json, sys, xml.etree.ElementTree as tree
json.dump([tree.fromstring(text).tag for text in json.load(sys.stdin)], sys.stdout)`;
    const told = await askPython('science', program, [...all(), ...plotsOf(named(strange, 200))]) as string[];
    expect(new Set(told)).to.deep.equal(new Set(['{http://www.w3.org/2000/svg}svg']));
  });

  it('holds no markup of the data', () => {
    for (const svg of all()) expect(svg).not.to.match(/<script|on\w+=|href/);
  });

  it('cuts off no text, and lets no legend or label reach into the data', () => {
    for (const svg of all()) {
      const [, width = NaN, height = NaN] = (/viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []).map(Number);
      const boxes = boxesOf(svg);
      expect(boxes.length).to.be.greaterThan(3);
      for (const box of boxes) {
        expect(box.left, svg.slice(0, 300)).to.be.at.least(0);
        expect(box.top).to.be.at.least(0);
        expect(box.right).to.be.at.most(width);
        expect(box.bottom).to.be.at.most(height);
      }
      const frame = /<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" fill="none"/.exec(svg)?.slice(1).map(Number) ?? [];
      const [left = NaN, top = NaN, across = NaN, down = NaN] = frame;
      const inside = boxes.filter((box) => box.left < left + across - 1 && box.right > left + 1 && box.top < top + down - 1 && box.bottom > top + 1);
      // Only counts in the cells of a confusion matrix stand inside.
      expect(inside.length === 0 || svg.includes('>Confusion<')).to.be.true;
    }
  });

  it('writes no two labels of an axis over each other', () => {
    for (const svg of [confusionPlot(Array.from({ length: 100 }, (_, row) => Array.from({ length: 100 }, (__, column) => (row === column ? 9 : 0))), numbered(100)), learningPlot(history(100_000).slice(0, 5), 'loss')]) {
      const upright = boxesOf(svg.replace(/<text[^>]*rotate[^>]*>[^<]*/g, ''));
      upright.forEach((box, at) => upright.slice(at + 1).forEach((other) => (
        expect(box.left >= other.right || other.left >= box.right || box.top + 1 >= other.bottom || other.top + 1 >= box.bottom).to.be.true)));
    }
  });

  it('is at most a few tens of kB, and a function of what it shows', () => {
    const plots = all();
    for (const svg of plots) expect(svg.length).to.be.below(50_000);
    expect(all()).to.deep.equal(plots);
  });

  it('shows the extremes of thousands of noisy epochs', () => {
    const epochs = history(10_000);
    const spiked = epochs.map((metrics, epoch) => (epoch === 6543 ? { ...metrics, val_loss: 40 } : metrics));
    const heights = (svg: string): number[] => [...svg.matchAll(/[ML]?[\d.]+,([\d.]+)/g)].map(([, y]) => Number(y));
    expect(Math.min(...heights(learningPlot(spiked, 'val_accuracy')), Infinity)).to.equal(Infinity);
    expect(Math.min(...heights(learningPlot(spiked, 'loss')))).to.be.below(45 + titleSize + fontSize);
  });
});

describe('the page of an evaluation', () => {
  it('tells all of it and runs nothing', () => {
    const html = evaluationPage({
      title: `Evaluation of ${long}`,
      history: history(12),
      chosenEpoch: 10,
      evaluations: [
        evaluate({
          part: 'test', target: 'y', predictions: { ...classPredictions({ rows: 200, classes: 3 }), classes: ['<b>', 'b', long] }, seed: 1,
          slices: [{ column: '<i>', value: '"x"', rows: Int32Array.from([1, 2, 3]) }],
          intervals: { confidence: 0.95, resamples: 20, method: 'Percentile', stratify: false },
          thresholds: { tune: { maximise: 'F1' } },
        }),
        evaluate({ part: 'validation', target: 'price in EUR', predictions: valuePredictions({ rows: 100 }), seed: 1 }),
      ],
    });
    expect(html).to.match(/^<!doctype html>/);
    expect(html).not.to.match(/<script|<link|<img|<b>|<i>|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    for (const words of ['The test part: 200 rows', 'accuracy', '95 % from', 'Most frequent mistakes', '&lt;b&gt;', '&quot;x&quot;', 'tuned on this very part for the largest f1', 'Learning: loss', 'true price in EUR']) expect(html).to.include(words);
    expect(html.match(/<svg /g)).to.have.length(5 + 3 + 1);
  });
});
