/** Runs one controller: changes become keys, keys become runs of its reconcile. */
import type { ControllerDefinition } from './definition.ts';
import type { Watched, Watches } from './watched.ts';

/** A controller with its types closed over, as the manager holds it. */
export interface Controller {
  readonly name: string;
  readonly watches: readonly Watched[];
}

export function defineController<W extends Watches, Primary extends keyof W & string, Status extends object>(
  definition: ControllerDefinition<W, Primary, Status>,
): Controller {
  return { name: definition.name, watches: Object.values(definition.watches) };
}
