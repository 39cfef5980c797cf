/** Puts parameter values in the place of `${name}`. `$${` stands for the two characters `${`. */
import type { ParameterValues } from './parameters.ts';

type Piece = { readonly kind: 'Text'; readonly text: string } | { readonly kind: 'Parameter'; readonly name: string } | { readonly kind: 'Unclosed' };

/** What the texts of an override's value refer to. */
export interface References {
  readonly names: ReadonlySet<string>;
  /** A text with a `${` that no `}` ends. */
  readonly unclosed: string | undefined;
}

export function referencesIn(value: unknown): References {
  const texts = textsIn(value);
  const names = texts.flatMap((text) => piecesOf(text).flatMap((piece) => (piece.kind === 'Parameter' ? [piece.name] : [])));
  return { names: new Set(names), unclosed: texts.find((text) => piecesOf(text).some(({ kind }) => kind === 'Unclosed')) };
}

/** The value with its placeholders filled in; a text that is one placeholder and nothing else takes the value with its type. */
export function fill(value: unknown, parameters: ParameterValues): unknown {
  if (typeof value === 'string') return fillText(value, parameters);
  if (Array.isArray(value)) return value.map((item: unknown) => fill(item, parameters));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, fill(child, parameters)]));
}

function fillText(text: string, parameters: ParameterValues): unknown {
  const pieces = piecesOf(text);
  const [first] = pieces;
  if (pieces.length === 1 && first?.kind === 'Parameter') return parameters[first.name];
  return pieces.map((piece) => (piece.kind === 'Parameter' ? spelled(parameters[piece.name]) : piece.kind === 'Text' ? piece.text : '${')).join('');
}

function spelled(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let read = 0;
  for (const match of text.matchAll(/\$\$\{|\$\{([^{}]*)\}|\$\{/g)) {
    const [whole, name] = match;
    if (match.index > read) pieces.push({ kind: 'Text', text: text.slice(read, match.index) });
    if (whole === '$${') pieces.push({ kind: 'Text', text: '${' });
    else pieces.push(name === undefined ? { kind: 'Unclosed' } : { kind: 'Parameter', name });
    read = match.index + whole.length;
  }
  if (read < text.length) pieces.push({ kind: 'Text', text: text.slice(read) });
  return pieces;
}
