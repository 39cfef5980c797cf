/** Structured logs: one JSON object a line, past tense for failures, no secret ever. */
import winston from 'winston';

export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

export type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  error(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  debug(message: string, fields?: Fields): void;
  /** The same log with these fields on every line. */
  with(fields: Fields): Log;
}

const secretField = /authorization|password|secret|token|credential|api-?key/i;
const bearer = /\b(Bearer|Basic)\s+[\w.~+/=-]+/g;
const jsonWebToken = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g;
const hidden = '[redacted]';

/** Hides what looks like a credential, in a value or by its field's name, however deep. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.replace(bearer, `$1 ${hidden}`).replace(jsonWebToken, hidden);
  if (value instanceof Error) return redactError(value, depth);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > 6) return '[too deep]';
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, secretField.test(name) && typeof item === 'string' ? hidden : redact(item, depth + 1)]),
  );
}

function redactError(error: Error, depth: number): unknown {
  const code = 'code' in error ? error.code : undefined;
  return {
    name: error.name,
    message: redact(error.message),
    ...(code === undefined ? {} : { code }),
    ...(error.cause === undefined || depth > 6 ? {} : { cause: redact(error.cause, depth + 1) }),
    stack: redact(error.stack),
  };
}

/** Writes to standard output, where a container's log is expected. */
export function createLog(level: LogLevel, stream: NodeJS.WritableStream = process.stdout): Log {
  const logger = winston.createLogger({
    level,
    levels: winston.config.npm.levels,
    format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston declares its transports as interfaces with a constructor
    transports: [new winston.transports.Stream({ stream })],
  });
  return bind(logger, {});
}

function bind(logger: winston.Logger, bound: Fields): Log {
  const write = (level: LogLevel) => (message: string, fields: Fields = {}) => {
    if (!logger.isLevelEnabled(level)) return;
    const safe = redact({ ...bound, ...fields }) as Fields;
    logger.log({ ...safe, level, message: String(redact(message)) });
  };
  return {
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    with: (fields) => bind(logger, { ...bound, ...fields }),
  };
}

/** For tests and tools that need a log but no lines. */
export const silentLog: Log = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  with: () => silentLog,
};
