/** Everything that can go wrong between the operator and the API server, typed. */

/** The API server's own account of a refusal (meta/v1 Status); it leaves out what does not apply. */
export interface StatusBody {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: StatusDetails;
  /** A 410 while paging may carry a token to go on with, at a newer version. */
  readonly metadata?: { readonly continue?: string };
}

export interface StatusDetails {
  readonly name?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly retryAfterSeconds?: number;
  readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
}

/** A server that starts asks for five seconds whatever it needs; asking again sooner costs it nothing, and finds it sooner. */
const longestUnavailableMs = 2_000;

/** The API server answered, and the answer was no. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status. */
  readonly code: number;
  /** `NotFound`, `Conflict`, `AlreadyExists`, `Invalid`, …: what the server calls it, `Unknown` when it gave no reason. */
  readonly reason: string;
  readonly details: StatusDetails;
  readonly status: StatusBody;
  /** How long to leave the server alone: as long as it asks, but see `longestUnavailableMs`. */
  readonly retryAfterMs: number | undefined;

  constructor(request: string, code: number, status: StatusBody, retryAfterMs?: number) {
    const reason = status.reason ?? reasonOf(code);
    super(`${request} was refused with ${code} ${reason}${status.message === undefined || status.message === '' ? '' : `: ${status.message}`}`);
    this.code = code;
    this.reason = reason;
    this.details = status.details ?? {};
    this.status = status;
    const asked = retryAfterMs ?? (this.details.retryAfterSeconds === undefined ? undefined : this.details.retryAfterSeconds * 1000);
    this.retryAfterMs = asked !== undefined && code === 503 ? Math.min(asked, longestUnavailableMs) : asked;
  }
}

export type TransportCode =
  /** No connection could be made, or it broke. */
  | 'CONNECTION_FAILED'
  /** No answer, or not the whole answer, within the attempt's time. */
  | 'TIMED_OUT'
  /** The caller gave up. */
  | 'ABORTED'
  /** This process may not write: it is not, or no longer, the leader. */
  | 'NOT_LEADER'
  /** The answer was no JSON, or a stream held a line that was none. */
  | 'GARBLED';

/** No usable answer came. Whether the request took effect is unknown when `sent`. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code: TransportCode;
  /** False when the request surely never left: then even a write may be tried again. */
  readonly sent: boolean;

  constructor(code: TransportCode, message: string, sent: boolean, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.sent = sent;
  }
}

const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest', 401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound', 405: 'MethodNotAllowed', 409: 'Conflict', 410: 'Gone',
  422: 'Invalid', 429: 'TooManyRequests', 500: 'InternalError', 503: 'ServiceUnavailable', 504: 'Timeout',
};

function reasonOf(code: number): string {
  return reasons[code] ?? 'Unknown';
}

const hasCode = (code: number) => (error: unknown): error is ApiError => error instanceof ApiError && error.code === code;

export const isNotFound = hasCode(404);
export const isInvalid = hasCode(422);

export function isAlreadyExists(error: unknown): error is ApiError {
  return error instanceof ApiError && error.reason === 'AlreadyExists';
}

/** A precondition failed: the object changed since it was read, or another one has its name now. */
export function isConflict(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 409 && error.reason !== 'AlreadyExists';
}

/** The resource version or the continue token is too old: only a new list helps. */
export function isGone(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.code === 410 || error.reason === 'Expired' || error.reason === 'Gone');
}

/** The namespace is being deleted: nothing can be created in it any more. */
export function isNamespaceTerminating(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 403 && (error.details.causes ?? []).some((cause) => cause.reason === 'NamespaceTerminating');
}

export function isTransportError(error: unknown, code: TransportCode): error is TransportError {
  return error instanceof TransportError && error.code === code;
}

/** The connection or the server failed, which says nothing about the request itself: the same one may work in a moment. */
export function isAway(error: unknown): boolean {
  return error instanceof TransportError || (error instanceof ApiError && (error.code >= 500 || error.code === 429));
}

/** For `catch`, where anything may have been thrown. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
