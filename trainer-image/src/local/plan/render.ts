/** A plan for a person. */
import { list } from '../../errors.ts';
import { bytes, duration, grouped, plural, table } from '../text.ts';
import type { Plan, StepPlan } from './plan.ts';

const mostColumns = 30;
const mostClasses = 12;

export function renderPlan(plan: Plan): string {
  return [
    `Plan of ${plan.name}; nothing was trained.`,
    dataOf(plan),
    targetOf(plan),
    splitOf(plan),
    pipelineOf(plan),
    networkOf(plan),
    trainingOf(plan),
    memoryOf(plan),
    ...(plan.warnings.length === 0 ? [] : [['Warnings:', ...plan.warnings.map(({ at, message }) => `- ${message} (${at})`)].join('\n')]),
  ].join('\n\n');
}

function dataOf({ data: { uri, rows, rowsRead, columns } }: Plan): string {
  const shown = columns.slice(0, mostColumns).map(({ name, kind, role, missing, distinct, from = '', to = '' }) => [name, kind.toLowerCase(), role.toLowerCase(), shownCount(missing), shownCount(distinct), from, to]);
  const rest = columns.length > mostColumns ? `\n… and ${columns.length - mostColumns} more; --json lists them all.` : '';
  const read = rowsRead === rows ? 'All rows were read, since kinds, categories and scales come from all of them.' : `${grouped(rowsRead)} of them were read.`;
  return `Data: ${uri}, ${plural(rows, 'row')} of ${plural(columns.length, 'column')}. ${read}\n${table([['column', 'kind', 'role', 'missing', 'distinct', 'from', 'to'], ...shown])}${rest}`;
}

const shownCount = (count: number | undefined): string => (count === undefined ? '' : grouped(count));

function targetOf({ target: { name, task, why, classes } }: Plan): string {
  return `Target: ${name === undefined ? 'none' : `"${name}"`}, ${task}, ${why}.${classes === undefined ? '' : ` ${plural(classes.length, 'class', 'classes')}: ${list(classes, mostClasses)}.`}`;
}

function splitOf({ split, target: { classes = [] } }: Plan): string {
  const byClass = classes.length > 0 && classes.length <= mostClasses;
  const rows = split.map(({ part, rows: count, classes: counts = [] }) => [part, grouped(count), ...(byClass ? counts.map(grouped) : [])]);
  return `Split:\n${table([['part', 'rows', ...(byClass ? classes : [])], ...rows])}`;
}

function pipelineOf({ pipeline, features: { count, shape }, split }: Plan): string {
  const [train] = split;
  const opening = pipeline.length === 0 ? 'Pipeline: none.' : `Pipeline, fitted on the ${grouped(train?.rows ?? 0)} rows of the training part:`;
  const result = `${pipeline.length === 0 ? 'A' : 'Then a'} row is ${plural(count, 'number')}${shape.length > 1 ? `, as ${shape.join('×')}` : ''}.`;
  return [opening, ...pipeline.map((step, index) => `${index + 1}. ${step.step}${settingsOf(step)}: ${changeOf(step)}`), result].join('\n');
}

/** As in the manifest, but for the columns. */
function settingsOf({ settings }: StepPlan): string {
  const shown = Object.entries(settings).filter(([name]) => name !== 'columns').map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return shown.length === 0 ? '' : ` {${shown.join(', ')}}`;
}

function changeOf({ columnsIn, columnsOut }: StepPlan): string {
  const [before, after] = [new Set(columnsIn), new Set(columnsOut)];
  const gone = columnsIn.filter((name) => !after.has(name));
  const made = columnsOut.filter((name) => !before.has(name));
  return [
    `${plural(columnsIn.length, 'column')} in, ${grouped(columnsOut.length)} out`,
    ...(gone.length === 0 ? [] : [`without ${list(gone, 4)}`]),
    ...(made.length === 0 ? [] : [`with ${list(made, 4)}`]),
  ].join('; ');
}

function networkOf({ network: { layers, parameters, trainable } }: Plan): string {
  const rows = layers.map(({ name, type, shape, parameters: count }) => [name, type, shape.join('×'), grouped(count)]);
  const fixed = parameters === trainable ? '' : `, of which ${grouped(trainable)} are learnt by gradient`;
  return `Network, ${plural(parameters, 'parameter')}${fixed}:\n${table([['layer', 'type', 'output', 'parameters'], ...rows])}`;
}

function trainingOf({ training: { epochs, batchSize, stepsPerEpoch, networks, steps }, estimates: { time: { seconds, isAtMost, measured } } }: Plan): string {
  const folds = networks === 1 ? '' : `, for ${networks} networks`;
  return `Training: ${plural(epochs, 'epoch')}${isAtMost ? ' at most' : ''} of ${plural(stepsPerEpoch, 'step')}${folds}, ${grouped(steps)} in all; a batch has ${plural(batchSize, 'row')}.
Time: about ${duration(seconds)}${isAtMost ? ' at most' : ''}. Estimated from ${plural(measured.steps, 'step')} here with ${plural(measured.threads, 'thread')}: ${milliseconds(measured.stepSeconds)} each; \
${milliseconds(measured.validationSeconds)} to validate and ${milliseconds(measured.checkpointSeconds)} for a checkpoint after an epoch; ${milliseconds(measured.prepareSeconds)} to begin, ${milliseconds(measured.finishSeconds)} to end.`;
}

const milliseconds = (seconds: number): string => (seconds < 1 ? `${Number((seconds * 1000).toPrecision(2))} ms` : duration(seconds));

function memoryOf({ estimates: { memory: { peakBytes, programBytes } } }: Plan): string {
  return `Memory: about ${bytes(peakBytes)} at the most, ${bytes(programBytes)} of it before any data. Estimated from a small run here, of all rows and a few steps.`;
}
