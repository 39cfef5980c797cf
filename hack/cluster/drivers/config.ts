import { readFile } from 'node:fs/promises';
import type { CsiDriverOptions } from './csi/index.ts';
import type { DevicePluginOptions } from './device-plugin.ts';

/** What main.ts runs on one node. */
export interface DriversConfig {
  csi?: CsiDriverOptions;
  /** `unhealthy` names devices by id; main.ts reads it again at SIGHUP. */
  devicePlugin?: DevicePluginOptions & { unhealthy?: string[] };
}

export class ConfigError extends Error {
  readonly code = 'DRIVERS_CONFIG_INVALID';

  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

const fields = {
  csi: { socketPath: isText, registrationSocketPath: isOptionalText, dataDir: isText, nodeId: isText },
  devicePlugin: { kubeletDirectory: isText, resource: isText, count: isCount, unhealthy: isOptionalList },
} as const;

/** @throws {ConfigError} naming the field and what to write there */
export async function readConfig(file: string): Promise<DriversConfig> {
  const config: unknown = JSON.parse(await readFile(file, 'utf8'));
  if (!isObject(config)) throw new ConfigError(`${file} must hold a JSON object with csi, devicePlugin, or both.`);
  for (const [section, checks] of Object.entries(fields)) {
    const given = config[section];
    if (given === undefined) continue;
    if (!isObject(given)) throw new ConfigError(`${file}: ${section} must be an object.`);
    for (const [field, check] of Object.entries(checks)) {
      const wish = check(given[field]);
      if (wish !== undefined) throw new ConfigError(`${file}: ${section}.${field} must be ${wish}.`);
    }
  }
  return config;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? undefined : 'a text that is not empty';
}

function isOptionalText(value: unknown): string | undefined {
  return value === undefined ? undefined : isText(value);
}

function isCount(value: unknown): string | undefined {
  return Number.isInteger(value) && Number(value) >= 0 ? undefined : 'a whole number, 0 or more';
}

function isOptionalList(value: unknown): string | undefined {
  return value === undefined || (Array.isArray(value) && value.every((one) => typeof one === 'string')) ? undefined : 'a list of device ids';
}
