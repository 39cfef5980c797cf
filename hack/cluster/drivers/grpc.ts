/** A gRPC server on a Unix socket. */
import { chmod, mkdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { handleUnaryCall, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { log } from './log.ts';

export interface Service {
  definition: ServiceDefinition;
  /** Methods left out answer UNIMPLEMENTED. */
  methods: UntypedServiceImplementation;
}

export type StatusName = Exclude<keyof typeof status, 'OK'>;

/** What a driver answers when it refuses a call: a gRPC status and one sentence. */
export class RpcError extends Error {
  readonly code: StatusName;

  constructor(code: StatusName, message: string) {
    super(message);
    this.name = 'RpcError';
    this.code = code;
  }
}

// sun_path of unix(7), less the closing zero.
const longestSocketPath = 107;
const graceMs = 5_000;

/** Serves until disposed; then lets calls in flight end for at most 5 s. The socket appears only once the services answer. */
export async function serve(socketPath: string, services: Service[]): Promise<AsyncDisposable> {
  if (Buffer.byteLength(socketPath) > longestSocketPath) {
    throw new RpcError('INVALID_ARGUMENT', `The socket path ${socketPath} has more than ${longestSocketPath} bytes, which no Unix socket can have. Choose a shorter folder.`);
  }
  await mkdir(dirname(socketPath), { recursive: true });
  await removeStaleSocket(socketPath);
  const server = new Server();
  for (const { definition, methods } of services) server.addService(definition, methods);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), (error) => (error === null ? resolve() : reject(error)));
  });
  await chmod(socketPath, 0o600);
  return {
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => {
        const patience = setTimeout(() => server.forceShutdown(), graceMs);
        server.tryShutdown(() => {
          clearTimeout(patience);
          resolve();
        });
      });
      await rm(socketPath, { force: true });
    },
  };
}

/** A killed driver leaves its socket behind; one that still answers belongs to another driver and stays. */
async function removeStaleSocket(socketPath: string): Promise<void> {
  const inUse = await new Promise<boolean>((resolve) => {
    const probe = connect(socketPath);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (inUse) throw new RpcError('ALREADY_EXISTS', `Another process already serves ${socketPath}. Stop it, or choose another socket path.`);
  await rm(socketPath, { force: true });
}

/** Turns an async function into a gRPC method; an RpcError keeps its status, anything else is INTERNAL and logged. */
export function unary<Request, Response extends object>(name: string, handle: (request: Request) => Response | Promise<Response>): handleUnaryCall<Request, Response> {
  return (call, respond) => {
    void answer(name, call.request, handle).then(
      (response) => respond(null, response),
      (error: unknown) => respond(asStatus(error)),
    );
  };
}

async function answer<Request, Response>(name: string, request: Request, handle: (request: Request) => Response | Promise<Response>): Promise<Response> {
  try {
    const response = await handle(request);
    log('answered', { method: name });
    return response;
  } catch (error) {
    log('refused', { method: name, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
    throw error;
  }
}

function asStatus(error: unknown): { code: status; details: string } {
  if (error instanceof RpcError) return { code: status[error.code], details: error.message };
  return { code: status.INTERNAL, details: error instanceof Error ? error.message : String(error) };
}
