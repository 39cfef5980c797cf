/** Why a cluster command could not do what it was asked to. A program reads the code, a person the message. */
export type ClusterErrorCode =
  | 'COMMAND_FAILED'
  | 'GO_MISSING'
  | 'BUILD_FAILED'
  | 'PROCESS_DIED'
  | 'TIMED_OUT'
  | 'PACKAGES_MISSING'
  | 'NO_PROVIDER'
  | 'NOT_UP'
  | 'NETWORK_FULL'
  | 'IMAGE_UNKNOWN'
  | 'LEFTOVERS'
  | 'USAGE';

export class ClusterError extends Error {
  override readonly name = 'ClusterError';
  readonly code: ClusterErrorCode;

  constructor(code: ClusterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
