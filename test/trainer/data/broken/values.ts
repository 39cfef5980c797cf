/** Files that can be read, and whose values cannot be learnt from. */
import { blobs } from '../../support.ts';
import type { BrokenInput, Files } from './input.ts';

const rows = blobs(60);
const csv = (content: string): Files => ({ 'rows.csv': content });
/** The same in each line. */
const everywhere = (change: (x: string, y: string, colour: string, row: number) => string): Files => csv(rows.trimEnd().split('\n').map((line, row) => {
  const [x = '', y = '', colour = ''] = line.split(',');
  return row === 0 ? line : change(x, y, colour, row);
}).join('\n'));
const zero = everywhere((x, y, colour, row) => `${x},${row === 41 ? '0' : y},${colour}`);
const pipeline = (...steps: object[]) => ({ data: { pipeline: steps } });

export const brokenValues: readonly BrokenInput[] = [
  { what: 'a target that is no column', files: csv(rows), data: { target: 'color' }, code: 'SPEC_COLUMN_MISSING', at: 'spec.trainer.data.target', says: /no column "color".*"x", "y", "colour"/ },
  { what: 'a feature that is no column', files: csv(rows), data: { features: { columns: ['x', 'z'] } }, code: 'SPEC_COLUMN_MISSING', at: 'spec.trainer.data.features.columns', says: /no column "z"/ },
  { what: 'the target among the features', files: csv(rows), data: { features: { columns: ['x', 'colour'] } }, code: 'SPEC_CONFLICT', at: 'spec.trainer.data.features.columns', says: /"colour" is among the features/ },
  { what: 'a target without a value', files: everywhere((x, y, colour, row) => `${x},${y},${row === 41 ? 'NaN' : colour}`), code: 'DATA_TARGET', at: 'spec.trainer.data.target', says: /Row 41 has no value in the target column "colour"/ },
  { what: 'one class', files: everywhere((x, y) => `${x},${y},red`), code: 'DATA_TARGET', at: 'spec.trainer.data.target', says: /"red" in every row/ },
  { what: 'a class for each row', files: csv(['x,y,colour', ...Array.from({ length: 1500 }, (_, row) => `1,2,c${row}`)].join('\n')), code: 'DATA_TARGET', at: 'spec.trainer.data.target', says: /1500 classes/ },
  { what: 'a target of times', files: everywhere((x, y, _colour, row) => `${x},${y},2026-01-${String(1 + row % 28).padStart(2, '0')}`), code: 'DATA_TARGET', at: 'spec.trainer.data.target', says: /is a time/ },
  { what: 'a regression of texts', files: csv(rows), data: { task: 'Regression' }, code: 'SPEC_TASK_MISMATCH', at: 'spec.trainer.data.task', says: /column "colour" has "red"/ },
  { what: 'a text among numbers', files: everywhere((x, y, colour, row) => `${row === 41 ? 'n/a' : x},${y},${colour}`), code: 'DATA_NOT_NUMERIC', at: 'spec.trainer.data.pipeline', says: /Column "x" is text, .*"n\/a" in row 41/ },
  { what: 'a time among the features', files: everywhere((x, _y, colour) => `${x},2026-01-01,${colour}`), code: 'DATA_NOT_NUMERIC', at: 'spec.trainer.data.pipeline', says: /Column "y" is a time/ },
  { what: 'a missing number', files: everywhere((x, y, colour, row) => `${x},${row === 41 ? '' : y},${colour}`), code: 'DATA_NOT_NUMERIC', at: 'spec.trainer.data.pipeline', says: /Column "y" has no value in row 41.*impute/ },
  { what: 'a column without any value', files: everywhere((x, _y, colour) => `${x},,${colour}`), ...pipeline({ impute: {} }), code: 'DATA_COLUMN_EMPTY', at: 'spec.trainer.data.pipeline[0].impute', says: /Column "y" has no value in the training rows/ },
  { what: 'infinity', files: everywhere((x, y, colour, row) => `${row === 41 ? 'Infinity' : x},${y},${colour}`), code: 'DATA_NOT_NUMERIC', at: 'spec.trainer.data.pipeline', says: /"x" is text, .*"Infinity" in row 41/ },
  { what: 'a number beyond what a double holds', files: everywhere((x, y, colour, row) => `${row === 41 ? '1e999' : x},${y},${colour}`), code: 'DATA_OUT_OF_RANGE', at: 'spec.trainer.data.pipeline', says: /Column "x" has Infinity in row 41/ },
  { what: 'a number beyond what the network holds', files: everywhere((x, y, colour, row) => `${row === 41 ? '1e300' : x},${y},${colour}`), code: 'DATA_OUT_OF_RANGE', at: 'spec.trainer.data.pipeline', says: /Column "x" has 1e\+300 in row 41/ },
  { what: 'a number of JSON beyond a double', files: { 'rows.jsonl': Array.from({ length: 60 }, (_, row) => `{"x": ${row === 40 ? '1e999' : row}, "colour": "${row % 2 === 0 ? 'red' : 'blue'}"}`).join('\n') }, source: { format: 'JSONLines' }, code: 'DATA_OUT_OF_RANGE', at: 'spec.trainer.data.pipeline', says: /Column "x" has Infinity in row 41/ },
  { what: 'a scale by a number that is too large', files: everywhere((x, y, colour) => `${x === '1' ? '1e999' : x},${y},${colour}`), ...pipeline({ scale: {} }), code: 'DATA_OUT_OF_RANGE', at: 'spec.trainer.data.pipeline[0].scale', says: /Column "x" has a value in row (?:1|15|29|43|57) that is too large/ },
  { what: 'a division by zero', files: zero, ...pipeline({ derive: { name: 'z', expression: '1e0 / y' } }), code: 'DATA_NOT_NUMERIC', at: 'spec.trainer.data.pipeline[0].derive', says: /Step 1 \(derive\) makes a missing value of row 41 in column "z", as a division by zero does/ },
  { what: 'an infinity of one step that another meets', files: everywhere((x, y, colour, row) => `${row === 41 ? '1e200' : x},${y},${colour}`), ...pipeline({ polynomial: { columns: ['x', 'y'], degree: 2 } }, { scale: {} }), code: 'DATA_OUT_OF_RANGE', at: 'spec.trainer.data.pipeline[0].polynomial', says: /Step 1 \(polynomial\) makes Infinity of row 41 in column "x/ },
  { what: 'a missing value of a step after others that were filled in', files: zero, ...pipeline({ outliers: { columns: ['x'], method: 'Quantile', lower: 0.1, upper: 0.9, action: 'Missing' } }, { impute: {} }, { derive: { name: 'z', expression: '1e0 / y' } }), code: 'DATA_NOT_NUMERIC', at: 'spec.trainer.data.pipeline[2].derive', says: /Step 3 \(derive\) makes a missing value of row 41/ },
  { what: 'a square that is too large', files: everywhere((x, y, colour, row) => `${row === 41 ? '1e30' : x},${y},${colour}`), ...pipeline({ polynomial: { columns: ['x', 'y'], degree: 2 } }), code: 'DATA_OUT_OF_RANGE', at: 'spec.trainer.data.pipeline[0].polynomial', says: /Step 1 \(polynomial\) makes 1[.\d]*e\+60 of row 41 in column ".*Clip what it takes/ },
  { what: 'a logarithm of zero', files: everywhere((x, y, colour, row) => `${row === 41 ? '-1' : Math.abs(Number(x))},${y},${colour}`), ...pipeline({ transform: { method: 'Log1p', columns: ['x'] } }), code: 'DATA_OUT_OF_RANGE', at: 'spec.trainer.data.pipeline[0].transform', says: /Row 41 has -1 in column "x", and Log1p needs values above -1/ },
  { what: 'an infinite target', files: everywhere((x, y, _colour, row) => `${x},${y},${row === 41 ? '-1e999' : row / 7}`), code: 'DATA_TARGET', at: 'spec.trainer.data.target', says: /Row 41 has -Infinity in the target column "colour"/ },
  { what: 'outliers everywhere', files: everywhere((_x, _y, colour, row) => `${row % 2 === 0 ? row : 0},${row % 2 === 0 ? 0 : row},${colour}`), ...pipeline({ outliers: { method: 'Quantile', lower: 0.49, upper: 0.51, action: 'DropTrainingRows' } }), code: 'DATA_TOO_FEW_ROWS', at: 'spec.trainer.data.pipeline[0].outliers', says: /Each of the \d+ training rows has an outlier/ },
  { what: 'rows that can all be told apart', files: csv(rows), data: { privacy: { kAnonymity: { quasiIdentifiers: ['x', 'y', 'colour'], k: 50, onViolation: 'Suppress' } } }, code: 'DATA_PRIVACY', at: 'spec.trainer.data.privacy.kAnonymity', says: /No row would be left/ },
  { what: 'an edge that stands twice', files: csv(rows), data: { privacy: { generalise: [{ column: 'x', method: 'Bin', edges: [-1, 1, 1, 2] }] } }, code: 'SPEC_INVALID', at: 'spec.trainer.data.privacy.generalise[0].edges', says: /edges hold 1 twice/ },
  { what: 'too few rows to hold any back', files: csv(blobs(3)), code: 'DATA_TOO_FEW_ROWS', at: 'spec.trainer.data.split.validation', says: /3 rows, too few/ },
  { what: 'a row without the group that the split goes by', files: everywhere((x, y, colour, row) => `${row === 41 ? '' : x},${y},${colour}`), data: { split: { groupBy: 'x' } }, code: 'DATA_SPLIT', at: 'spec.trainer.data.split.groupBy', says: /Row 41 has no value in column "x"/ },
  { what: 'a scale of texts', files: csv(rows.replaceAll(/,(-?[\d.]+),/g, ',a$1,')), ...pipeline({ scale: { columns: ['y'] } }), code: 'SPEC_COLUMN_KIND', at: 'spec.trainer.data.pipeline[0].scale', says: /column "y" is text, for example "a/ },
  { what: 'a logarithm of what is below zero', files: csv(rows), ...pipeline({ transform: { method: 'BoxCox' } }), code: 'DATA_OUT_OF_RANGE', at: 'spec.trainer.data.pipeline[0].transform', says: /Row \d+ has -[\d.]+ in column "x"/ },
  { what: 'SQL with a mistake in it', files: csv(rows), ...pipeline({ derive: { name: 'z', expression: 'x + * y' } }), code: 'SPEC_EXPRESSION', at: 'spec.trainer.data.pipeline[0].derive.expression', says: /"x \+ \* y" cannot be used: / },
  { what: 'SQL over more than a row', files: csv(rows), ...pipeline({ derive: { name: 'z', expression: 'x - avg(x)' } }), code: 'SPEC_EXPRESSION', at: 'spec.trainer.data.pipeline[0].derive.expression', says: /avg/ },
  { what: 'SQL that reads a file', files: csv(rows), ...pipeline({ derive: { name: 'z', expression: "(select count(*) from '/etc/passwd')" } }), code: 'SPEC_EXPRESSION', at: 'spec.trainer.data.pipeline[0].derive.expression', says: /cannot be used/ },
  { what: 'SQL that fails in a row', files: csv(rows), ...pipeline({ derive: { name: 'z', expression: "error('no')" } }), code: 'SPEC_EXPRESSION', at: 'spec.trainer.data.pipeline[0].derive.expression', says: /error/ },
  { what: 'a shape of another size', files: csv(rows), data: { features: { shape: [3, 1] } }, code: 'SPEC_SHAPE_MISMATCH', at: 'spec.trainer.data.features.shape', says: /holds 3 values, but a row has 2/ },
  { what: 'less than is expected', files: csv(rows), data: { expectations: [{ rows: { min: 100 } }] }, code: 'DATA_EXPECTATION', at: 'spec.trainer.data.expectations[0].rows', says: /60/ },
];
