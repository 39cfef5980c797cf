/** What Prometheus reads from a serving pod. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export interface ServingMetrics {
  readonly registry: Registry;
  readonly requests: Counter<'model' | 'code'>;
  readonly seconds: Histogram<'model'>;
  readonly inFlight: Gauge<'model'>;
  readonly rows: Counter<'model'>;
  readonly info: Gauge<'model' | 'version' | 'digest' | 'task'>;
}

export function createMetrics(): ServingMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    requests: new Counter({ name: 'anneal_serving_requests_total', help: 'Inference requests, by status code.', labelNames: ['model', 'code'], registers }),
    seconds: new Histogram({
      name: 'anneal_serving_request_duration_seconds',
      help: 'Time from the whole request to its answer.',
      labelNames: ['model'],
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    inFlight: new Gauge({ name: 'anneal_serving_requests_in_flight', help: 'Inference requests that are being answered.', labelNames: ['model'], registers }),
    rows: new Counter({ name: 'anneal_serving_rows_total', help: 'Rows that were predicted.', labelNames: ['model'], registers }),
    info: new Gauge({ name: 'anneal_serving_model_info', help: '1, with the identity of the loaded model.', labelNames: ['model', 'version', 'digest', 'task'], registers }),
  };
}
