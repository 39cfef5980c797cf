/** Who wrote what, as the API server itself noted it: its audit log, at the level Metadata. */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Write {
  readonly verb: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
}

interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly userAgent?: string;
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string; readonly namespace?: string; readonly name?: string };
  readonly responseStatus?: { readonly code?: number };
}

const policy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
- level: None
`;

export class Audit implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'anneal-audit-'));
  readonly #log = join(this.#folder, 'audit.log');

  /** Flags of the API server that is to keep the log. */
  get apiServerFlags(): Readonly<Record<string, string>> {
    const file = join(this.#folder, 'policy.yaml');
    writeFileSync(file, policy);
    return { 'audit-policy-file': file, 'audit-log-path': this.#log };
  }

  /** A place in the log: what is written from now on lies behind it. */
  mark(): number {
    return readFileSync(this.#log).length;
  }

  /** Writes of the client with this user agent, since the mark, its lease left out: a leader must renew that. */
  writesBy(userAgent: string, since = 0): Write[] {
    const lines = readFileSync(this.#log).subarray(since).toString('utf8').split('\n');
    // The last line may still be under way.
    return lines.slice(0, -1).map((line) => JSON.parse(line) as AuditEvent)
      .filter((event) => event.userAgent?.startsWith(userAgent) === true && event.objectRef?.resource !== 'leases')
      .map(({ verb, objectRef, responseStatus }) => ({
        verb,
        resource: objectRef?.resource ?? '',
        subresource: objectRef?.subresource,
        namespace: objectRef?.namespace ?? '',
        name: objectRef?.name ?? '',
        code: responseStatus?.code ?? 0,
      }));
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
