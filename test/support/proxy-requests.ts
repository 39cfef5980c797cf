/** Small parts of the fault proxy. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Answers in the server's place, with a Status where no body is given. */
export function refuse(response: ServerResponse, code: number, headers: Readonly<Record<string, string>> = {}, body?: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code }));
}

/** True for a path such as /api/v1/namespaces/NAME/pods, false for that of one object. */
export function isCollection(path: string): boolean {
  const words = path.replace(/^\/(api\/v1|apis\/[^/]+\/[^/]+)\//, '').split('/');
  return words.length === 1 || (words[0] === 'namespaces' && words.length === 3);
}

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
