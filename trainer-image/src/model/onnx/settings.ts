/** The settings of a layer, as they stand in a model.json, read with their types. */
import type { LayerConfig } from './topology.ts';
import { Unsupported } from './unsupported.ts';

export class Settings {
  private readonly layer: string;
  private readonly className: string;
  private readonly config: LayerConfig;

  constructor(layer: string, className: string, config: LayerConfig) {
    this.layer = layer;
    this.className = className;
    this.config = config;
  }

  number(name: string, otherwise?: number): number {
    const value = this.config[name] ?? otherwise;
    return typeof value === 'number' ? value : this.refuse(name);
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.config[name] ?? otherwise;
    return typeof value === 'boolean' ? value : this.refuse(name);
  }

  text(name: string, otherwise: string): string {
    const value = this.config[name] ?? otherwise;
    return typeof value === 'string' ? value : this.refuse(name);
  }

  /** One number for all places, or one for each. */
  numbers(name: string, places: number, otherwise?: number): readonly number[] {
    const value = this.config[name] ?? otherwise;
    if (typeof value === 'number') return Array.from({ length: places }, () => value);
    const all = this.list(name, value);
    return all.length === places ? all : this.refuse(name);
  }

  /** A number, or any count of them. */
  numberList(name: string): readonly number[] {
    const value = this.config[name];
    return typeof value === 'number' ? [value] : this.list(name, value);
  }

  /** Lengths; one that follows from the others, null or -1 in the file, is undefined. */
  targetShape(name: string): readonly (number | undefined)[] {
    const value = this.config[name];
    if (!Array.isArray(value)) return this.refuse(name);
    return value.map((length: unknown) => (typeof length === 'number' && length >= 0 ? length : undefined));
  }

  /** [[before, after], [before, after]] of height and width; a number stands for all, two for both sides of each. */
  margins(name: string): readonly (readonly [number, number])[] {
    const value = this.config[name];
    if (typeof value === 'number') return [[value, value], [value, value]];
    if (!Array.isArray(value) || value.length !== 2) return this.refuse(name);
    return value.map((side: unknown) => {
      if (typeof side === 'number') return [side, side] as const;
      const [before, after] = this.list(name, side);
      return before === undefined || after === undefined ? this.refuse(name) : [before, after] as const;
    });
  }

  has(name: string): boolean {
    return this.config[name] !== undefined && this.config[name] !== null;
  }

  inner(name: string): { readonly className: string; readonly config: LayerConfig } {
    const value = this.config[name] as { readonly class_name?: unknown; readonly config?: unknown } | undefined;
    if (typeof value?.class_name !== 'string' || typeof value.config !== 'object' || value.config === null) return this.refuse(name);
    return { className: value.class_name, config: value.config as LayerConfig };
  }

  private list(name: string, value: unknown): readonly number[] {
    return Array.isArray(value) && value.every((item) => typeof item === 'number') ? value : this.refuse(name);
  }

  private refuse(name: string): never {
    throw new Unsupported(this.layer, this.className, `has the setting ${name}: ${JSON.stringify(this.config[name])}`);
  }
}
