/** The verbs of the Kubernetes API that the operator uses, on any resource type. */
import { isGone } from './errors.ts';
import { apiVersionOf, collectionPath, keyOf, objectPath } from './resource.ts';
import type { KubeObject, ObjectKey, ResourceType } from './resource.ts';
import type { Lane, Transport } from './transport.ts';

export interface ClientOptions {
  /** Recorded by the API server as the owner of every field that this client sets. */
  readonly fieldManager: string;
  /** Asked at the very moment a write goes to the socket. */
  readonly maySend?: () => boolean;
  readonly lane?: Lane;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly retries?: number;
}

export interface ListOptions extends CallOptions {
  readonly namespace?: string | undefined;
  readonly labels?: string | undefined;
  readonly fields?: string | undefined;
  /** Objects in one answer. */
  readonly pageSize?: number;
}

export interface ListResult<T> {
  readonly resourceVersion: string;
  readonly items: readonly T[];
}

export interface DeleteOptions extends CallOptions {
  /** The object that is meant: a successor of the same name stays. */
  readonly uid: string;
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan' | undefined;
}

interface ListBody {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly KubeObject[];
}

const defaultPageSize = 500;
const listTimeoutMs = 30_000;
const applyType = 'application/apply-patch+yaml';
const mergeType = 'application/merge-patch+json';

export class Client {
  readonly transport: Transport;
  readonly #options: ClientOptions;

  constructor(transport: Transport, options: ClientOptions) {
    this.transport = transport;
    this.#options = options;
  }

  get<T extends KubeObject>(type: ResourceType, key: ObjectKey, options: CallOptions = {}): Promise<T> {
    return this.transport.json<T>({ method: 'GET', path: objectPath(type, key), lane: this.#options.lane ?? 'objects', ...options });
  }

  /**
   * All objects at one version, page by page, each made small by `project` before the next page is asked for. When the
   * continue token expires under way, starts again without pages, since an answer in one piece cannot expire.
   */
  async list<T>(type: ResourceType, project: (raw: KubeObject) => T, options: ListOptions = {}): Promise<ListResult<T>> {
    try {
      return await this.#listPages(type, project, options, options.pageSize ?? defaultPageSize);
    } catch (error) {
      if (!isGone(error)) throw error;
      return this.#listPages(type, project, options, undefined);
    }
  }

  /** Fails with `AlreadyExists`, never overwrites. */
  create<T extends KubeObject>(type: ResourceType, object: KubeObject, options: CallOptions = {}): Promise<T> {
    return this.#write<T>({ method: 'POST', path: collectionPath(type, object.metadata.namespace), query: this.#strict(), body: object, ...options });
  }

  /** Replaces the object whose resource version the body carries. */
  replace<T extends KubeObject>(type: ResourceType, object: KubeObject, options: CallOptions = {}): Promise<T> {
    return this.#write<T>({ method: 'PUT', path: objectPath(type, keyOf(object)), query: this.#strict(), body: object, ...options });
  }

  /**
   * Server-side apply: the fields given become ours, those that we gave before and leave out now are removed. Conflicts
   * are forced, since a controller has nobody to ask; so send only fields that are ours to set.
   */
  apply<T extends KubeObject>(type: ResourceType, object: KubeObject, options: CallOptions = {}): Promise<T> {
    const query = { ...this.#strict(), force: true };
    return this.#write<T>({ method: 'PATCH', path: objectPath(type, keyOf(object)), query, body: object, contentType: applyType, ...options });
  }

  /** As `apply`, on the status, by a field manager of its own. A UID in the metadata keeps it off a successor of that name. */
  applyStatus<T extends KubeObject>(type: ResourceType, object: KubeObject & { readonly status: unknown }, options: CallOptions = {}): Promise<T> {
    const query = { ...this.#strict(), fieldManager: `${this.#options.fieldManager}-status`, force: true };
    return this.#write<T>({ method: 'PATCH', path: objectPath(type, keyOf(object), 'status'), query, body: object, contentType: applyType, ...options });
  }

  /** JSON merge patch. Put `metadata.uid` and `metadata.resourceVersion` into it to fail on any other version of the object. */
  merge<T extends KubeObject>(type: ResourceType, key: ObjectKey, patch: object, options: CallOptions & { readonly subresource?: 'status' } = {}): Promise<T> {
    const { subresource, ...call } = options;
    return this.#write<T>({ method: 'PATCH', path: objectPath(type, key, subresource), query: this.#strict(), body: patch, contentType: mergeType, ...call });
  }

  /** Fails with `Conflict` when the name belongs to another object by now, with `NotFound` when it is gone. */
  async delete(type: ResourceType, key: ObjectKey, options: DeleteOptions): Promise<void> {
    const { uid, gracePeriodSeconds, propagation, ...call } = options;
    await this.#write({
      method: 'DELETE',
      path: objectPath(type, key),
      body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid }, gracePeriodSeconds, propagationPolicy: propagation ?? 'Background' },
      ...call,
    });
  }

  /** Deletes a pod if its disruption budgets allow; fails with 429 when they do not, and is then not tried again here. */
  async evict(type: ResourceType, key: ObjectKey, options: DeleteOptions): Promise<void> {
    const { uid, gracePeriodSeconds, ...call } = options;
    await this.#write({
      method: 'POST',
      path: objectPath(type, key, 'eviction'),
      body: {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: key.name, namespace: key.namespace },
        deleteOptions: { preconditions: { uid }, gracePeriodSeconds },
      },
      retries: 0,
      ...call,
    });
  }

  #strict(): Record<string, string> {
    return { fieldManager: this.#options.fieldManager, fieldValidation: 'Strict' };
  }

  #write<T>(request: Parameters<Transport['json']>[0]): Promise<T> {
    return this.transport.json<T>({ maySend: this.#options.maySend, lane: this.#options.lane ?? 'objects', ...request });
  }

  async #listPages<T>(type: ResourceType, project: (raw: KubeObject) => T, options: ListOptions, limit: number | undefined): Promise<ListResult<T>> {
    const { namespace, labels, fields, pageSize, ...call } = options;
    const [apiVersion, kind] = [apiVersionOf(type), type.kind];
    const items: T[] = [];
    let token: string | undefined;
    for (;;) {
      const page: ListBody = await this.transport.json<ListBody>({
        method: 'GET',
        path: collectionPath(type, namespace),
        query: { limit, continue: token, labelSelector: labels, fieldSelector: fields },
        timeoutMs: listTimeoutMs,
        ...call,
      });
      // The items of a built-in list leave out what the list says once.
      for (const item of page.items) items.push(project({ ...item, apiVersion, kind }));
      token = page.metadata.continue === '' ? undefined : page.metadata.continue;
      if (token === undefined) return { resourceVersion: page.metadata.resourceVersion, items };
    }
  }
}
