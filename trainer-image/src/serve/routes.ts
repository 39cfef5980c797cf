/** Paths of the Open Inference Protocol V2, beside /metrics: a table from path to what it answers. */
import type { AnnealError } from '../errors.ts';
import { toAnnealError } from '../errors.ts';
import { version as serverVersion } from '../version.ts';
import type { Predictor } from './predictor.ts';
import { ProtocolError, parseInfer } from './request.ts';

/** What a request finds: a model, or why there is none. */
export interface Served {
  readonly name: string;
  readonly predictor?: Predictor;
  /** Why it is not ready; undefined when it is. */
  readonly notReady?: string;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** Rows that were predicted. */
  readonly rows?: number;
}

interface Route {
  readonly method: 'GET' | 'POST';
  readonly pattern: RegExp;
  /** Whether it counts as an inference. */
  readonly infers?: boolean;
  readonly answer: (served: Served, match: Readonly<Record<string, string | undefined>>, body: Buffer) => Answer | Promise<Answer>;
}

const model = '/v2/models/(?<model>[^/]+)(?:/versions/(?<version>[^/]+))?';

const routes: readonly Route[] = [
  { method: 'GET', pattern: /^\/v2\/?$/, answer: () => ok({ name: 'anneal', version: serverVersion, extensions: [] }) },
  { method: 'GET', pattern: /^\/v2\/health\/live$/, answer: () => ok({ live: true }) },
  { method: 'GET', pattern: /^\/v2\/health\/ready$/, answer: readiness },
  { method: 'GET', pattern: new RegExp(`^${model}/ready$`), answer: (served, match) => { requireName(served, match); return readiness(served); } },
  { method: 'POST', pattern: new RegExp(`^${model}/infer$`), infers: true, answer: infer },
  { method: 'GET', pattern: new RegExp(`^${model}/?$`), answer: metadata },
  { method: 'POST', pattern: /^\/v2\/repository\/index$/, answer: (served) => ok([{ name: served.name, version: served.predictor?.version ?? '', state: served.notReady === undefined ? 'READY' : 'UNAVAILABLE', reason: served.notReady ?? '' }]) },
];

export interface FoundRoute {
  readonly infers: boolean;
  readonly answer: (served: Served, body: Buffer) => Answer | Promise<Answer>;
}

/** @throws ProtocolError 404, or 405 with the methods that are allowed */
export function findRoute(method: string, path: string): FoundRoute {
  const there = routes.flatMap((route) => {
    const match = route.pattern.exec(path);
    return match === null ? [] : [{ route, match: match.groups ?? {} }];
  });
  const found = there.find(({ route }) => route.method === method || (method === 'HEAD' && route.method === 'GET'));
  if (found !== undefined) return { infers: found.route.infers === true, answer: (served, body) => found.route.answer(served, found.match, body) };
  const allowed = there.map(({ route }) => route.method);
  if (allowed.length > 0) throw new ProtocolError(405, `${method} is not allowed for ${path}; use ${allowed.join(' or ')}.`, { allow: allowed.join(', ') });
  throw new ProtocolError(404, `There is nothing at ${path}; models are at /v2/models/NAME.`);
}

const ok = (body: unknown): Answer => ({ status: 200, body });

function readiness({ name, notReady }: Served): Answer {
  if (notReady === undefined) return ok({ name, live: true, ready: true });
  return { status: 503, body: { name, live: true, ready: false, error: notReady } };
}

function requireName(served: Served, { model: asked = '', version }: Readonly<Record<string, string | undefined>>): void {
  if (decoded(asked) !== served.name) throw new ProtocolError(404, `There is no model "${decoded(asked)}"; this server has "${served.name}".`);
  const has = served.predictor?.version;
  if (version !== undefined && has !== undefined && version !== has) throw new ProtocolError(404, `Model "${served.name}" has no version "${version}"; it has "${has}".`);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) throw new ProtocolError(400, `"${part}" is no URL-encoded name.`);
    throw error;
  }
}

function requirePredictor(served: Served): Predictor {
  if (served.predictor !== undefined) return served.predictor;
  throw new ProtocolError(503, `Model "${served.name}" is not ready: ${served.notReady ?? 'it is loading'}`, { 'retry-after': '1' });
}

/** `PROJECT_FORMAT`, as the protocol has it. */
const platforms: Readonly<Record<Predictor['engine'], string>> = { OnnxRuntime: 'onnxruntime_onnx', 'TensorFlow.js': 'anneal_tensorflowjs' };

function metadata(served: Served, match: Readonly<Record<string, string | undefined>>): Answer {
  requireName(served, match);
  const { manifest, version, engine } = requirePredictor(served);
  return ok({ name: served.name, versions: [version], platform: platforms[engine], ...manifest.signature });
}

async function infer(served: Served, match: Readonly<Record<string, string | undefined>>, body: Buffer): Promise<Answer> {
  requireName(served, match);
  const predictor = requirePredictor(served);
  const known = predictor.manifest.signature.outputs.map(({ name }) => name);
  const request = parseInfer(parsed(body), predictor.preprocessing, known);
  const outputs = (await predicted(predictor, request.table)).filter(({ name }) => request.outputs?.includes(name) ?? true);
  return {
    status: 200,
    rows: request.table.rows,
    body: { model_name: served.name, model_version: predictor.version, ...(request.id === undefined ? {} : { id: request.id }), outputs },
  };
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) throw new ProtocolError(400, `The body is no JSON: ${error.message}.`);
    throw error;
  }
}

async function predicted(predictor: Predictor, table: Parameters<Predictor['predict']>[0]): ReturnType<Predictor['predict']> {
  try {
    return await predictor.predict(table);
  } catch (error) {
    const told: AnnealError = toAnnealError(error);
    if (!told.code.startsWith('DATA_')) throw error;
    // The rest of the sentence tells how to change the training, which a client cannot.
    const [what = told.message] = told.message.split('. ');
    switch (told.code) {
      case 'DATA_NOT_NUMERIC': throw new ProtocolError(400, `${what}. This model does not fill in missing values; send one.`);
      case 'DATA_OUT_OF_RANGE': throw new ProtocolError(400, `${what.replace(/\.$/, '')}. Send another value.`);
      default: throw new ProtocolError(400, told.message);
    }
  }
}
