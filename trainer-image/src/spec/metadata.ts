/** What the API server asks of an object's name. */
import { isObject } from './schema.ts';
import type { JsonObject } from './schema.ts';
import { violation } from './violations.ts';
import type { Violation } from './violations.ts';

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const pattern = new RegExp(`^${subdomain}$`);
const mostCharacters = 253;

export function nameViolations(object: JsonObject): Violation[] {
  const { name, generateName } = isObject(object.metadata) ? object.metadata : {};
  if (name === undefined || name === '') return generateName === undefined ? [violation('Required', 'metadata.name', 'name or generateName is required')] : [];
  if (typeof name !== 'string') return [violation('TypeInvalid', 'metadata.name', 'metadata.name in body must be of type string', name)];
  return [
    ...(Buffer.byteLength(name) > mostCharacters ? [violation('Invalid', 'metadata.name', `must be no more than ${mostCharacters} characters`, name)] : []),
    ...(pattern.test(name) ? [] : [violation('Invalid', 'metadata.name', isNoSubdomain, name)]),
  ];
}

const isNoSubdomain = 'a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \'-\' or \'.\', and must start and end with an alphanumeric character '
  + `(e.g. 'example.com', regex used for validation is '${subdomain}')`;
