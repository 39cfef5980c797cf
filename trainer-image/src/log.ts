/** Structured logs: one JSON object a line on standard output. */
import winston from 'winston';

export type Fields = Readonly<Record<string, unknown>>;
export type Log = (level: 'info' | 'warn' | 'error', message: string, fields?: Fields) => void;

/** @param fixed  fields that stand on every line */
export function createLog(level: string, fixed: Fields): Log {
  const logger = winston.createLogger({
    level,
    defaultMeta: fixed,
    format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston declares its transports as interfaces with a constructor
    transports: [new winston.transports.Console()],
  });
  return (at, message, fields = {}) => void logger.log({ ...fields, level: at, message });
}
