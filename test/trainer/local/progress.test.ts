import { expect } from 'chai';
import * as fc from 'fast-check';
import type { ProgressReport } from '@anneal/operator/api';
import { createNarrator } from '../../../trainer-image/src/local/narrator.ts';
import { epochLine, liveLine, sparkline, watchedMetric } from '../../../trainer-image/src/local/progress-line.ts';
import type { Terminal } from '../../../trainer-image/src/local/terminal.ts';
import { bytes, duration, grouped, shellWord, table } from '../../../trainer-image/src/local/text.ts';

const report = (epoch: number, metrics: ProgressReport['metrics'] = { loss: 0.123456, val_loss: 0.5, val_accuracy: 0.9 }): ProgressReport => ({ attempt: 1, epoch, epochs: 40, step: epoch * 10, percent: epoch * 2.5, remainingSeconds: 75, metrics });

interface Screen extends Terminal {
  clock: number;
  readonly told: () => string;
}

function screen(columns?: number): Screen {
  let told = '';
  const terminal = {
    directory: '/', environment: {}, columns, clock: 0,
    input: () => Promise.resolve(''), print: () => undefined, tell: (text: string) => void (told += text), onInterrupt: () => undefined,
    now: () => terminal.clock,
    told: () => told,
  };
  return terminal;
}

describe('progress', () => {
  it('is one line', () => {
    expect(liveLine(report(6), 'val_accuracy', [0.5, 0.75, 1], 200)).to.equal('epoch 7/40  15 %  1 min 15 s left  loss 0.12346  val_loss 0.5  val_accuracy 0.9  ▁▅█');
    expect(epochLine(report(7), 'val_loss')).to.equal('epoch 7/40: loss 0.12346, val_loss 0.5, val_accuracy 0.9; about 1 min 15 s left');
  });

  it('never wraps', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 200 }), fc.array(fc.double(), { maxLength: 40 }), (columns, history) => {
      expect(Array.from(liveLine(report(3), 'loss', history, columns)).length).to.be.at.most(Math.max(0, columns - 1));
    }));
  });

  it('watches what early stopping watches, else the validation rows', () => {
    expect(watchedMetric({ loss: 1, val_loss: 1, val_f1: 1 }, 'val_f1')).to.equal('val_f1');
    expect(watchedMetric({ loss: 1, val_loss: 1, val_rmse: 1 }, undefined)).to.equal('val_rmse');
    expect(watchedMetric({ loss: 1 }, 'val_loss')).to.equal('loss');
  });

  it('draws a line of bars for any values', () => {
    expect(sparkline([3, 2, 1], 16)).to.equal('█▅▁');
    expect(sparkline([1, 1], 16)).to.equal('▁▁');
    expect(sparkline([1, NaN, 2], 16)).to.equal('▁ █');
    fc.assert(fc.property(fc.array(fc.double(), { maxLength: 40 }), (values) => {
      expect(Array.from(sparkline(values, 16))).to.have.length(Math.min(16, values.length));
    }));
  });
});

describe('the narrator', () => {
  it('draws one line again and again on a screen, and clears it for a sentence', () => {
    const terminal = screen(80);
    const narrator = createNarrator({ terminal, verbose: false, watched: undefined });
    narrator.progress(report(1));
    terminal.clock = 50;
    narrator.progress(report(2));
    terminal.clock = 200;
    narrator.progress(report(3));
    narrator.tell('Something else.');
    narrator.close();
    const lines = terminal.told().split('\r\u001b[2K');
    expect(lines.map((line) => line.slice(0, 10))).to.deep.equal(['', 'epoch 2/40', 'epoch 4/40', 'Something ', '']);
  });

  it('writes a line for each epoch into a file, and one a second of very many', () => {
    const terminal = screen();
    const narrator = createNarrator({ terminal, verbose: false, watched: undefined });
    for (let step = 0; step < 200; step++) {
      terminal.clock += 50;
      narrator.progress({ ...report(Math.floor(step / 2)), epochs: 1000 });
    }
    const lines = terminal.told().trimEnd().split('\n');
    expect(lines[0]).to.match(/^epoch 1\/1000/);
    expect(lines).to.have.length.within(50, 56);
  });

  it('tells the parts of the log that a person needs, and all of it when asked', () => {
    const tell = (verbose: boolean): string => {
      const terminal = screen();
      const { log } = createNarrator({ terminal, verbose, watched: undefined });
      log('info', 'Epoch ended', { epoch: 1 });
      log('info', 'Data read', { files: '"x.csv"', rows: 1210, columns: 4 });
      log('info', 'Data prepared', { task: 'Regression', features: 3, train: 1200, validation: 10, test: 0 });
      log('info', 'Fold ended', { fold: 1, of: 5, val_loss: 0.123456 });
      log('warn', 'Passed over a checkpoint', { checkpoint: 'epoch-000002', why: 'tensors.bin is damaged' });
      log('warn', 'Something new', { count: 3 });
      return terminal.told();
    };
    expect(tell(false)).to.equal('"x.csv": 1,210 rows of 4 columns.\nRegression: 1,200 rows train, 10 validate, 0 test; 3 numbers a row.\nFold 1 of 5: val_loss 0.12346.\nwarning: The checkpoint epoch-000002 is not gone on from, since tensors.bin is damaged.\nwarning: Something new count=3\n');
    expect(tell(true)).to.contain('info: Epoch ended epoch=1\n').and.contain('files="x.csv"');
  });
});

describe('texts', () => {
  it('give times, sizes and counts as a person says them', () => {
    expect([0.04, 9.94, 12.4, 59.6, 200, 7500, -1].map(duration)).to.deep.equal(['0.0 s', '9.9 s', '12 s', '1 min 0 s', '3 min 20 s', '2 h 5 min', '0.0 s']);
    expect([0, 512, 1536, 440 * 2 ** 20, 2 ** 31].map(bytes)).to.deep.equal(['0 B', '512 B', '1.5 KiB', '440 MiB', '2 GiB']);
    expect([7, 1797, 1234567].map(grouped)).to.deep.equal(['7', '1,797', '1,234,567']);
  });

  it('stand in columns, numbers on the right', () => {
    expect(table([['name', 'rows'], ['a', '7'], ['bcd', '1,000']])).to.equal('name   rows\na         7\nbcd   1,000');
  });

  it('are one word for a shell', () => {
    expect(shellWord('digits/model')).to.equal('digits/model');
    expect(shellWord('it\'s {here}')).to.equal('\'it\'\\\'\'s {here}\'');
  });
});
