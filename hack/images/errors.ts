/** What can go wrong while an image is built; a program reads `code`, a person the message. */
export type ImageErrorCode = 'TOOL_MISSING' | 'COMMAND_FAILED' | 'BUNDLE_FAILED' | 'SOURCES_UNKNOWN' | 'ARCHIVE_INVALID' | 'LOCK_TIMEOUT' | 'NATIVE_MISSING';

export class ImageError extends Error {
  readonly code: ImageErrorCode;

  constructor(code: ImageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ImageError';
    this.code = code;
  }
}
