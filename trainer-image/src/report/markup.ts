/** Elements of SVG and HTML as text. What is not an element made here is text and is escaped, so that no name in the data can become markup. */

/** Made by `element` and `html` alone. */
export interface Markup {
  readonly markup: string;
}

export type Child = Markup | string;
export type Attributes = Readonly<Record<string, string | number | undefined>>;

const childless = new Set(['rect', 'path', 'line', 'circle', 'meta']);

/** @param attributes  numbers are written with at most two decimals; undefined ones are left out */
export function element(name: string, attributes: Attributes, ...children: readonly Child[]): Markup {
  const written = Object.entries(attributes).map(([key, value]) => (value === undefined ? '' : ` ${key}="${escaped(typeof value === 'number' ? short(value) : value)}"`)).join('');
  if (childless.has(name) && children.length === 0) return { markup: `<${name}${written}/>` };
  return { markup: `<${name}${written}>${children.map((child) => (typeof child === 'string' ? escaped(child) : child.markup)).join('')}</${name}>` };
}

/** @throws Error for what is not finite: a plot with it would be drawn wrongly in silence */
export function short(value: number): string {
  if (!Number.isFinite(value)) throw new Error(`${String(value)} has no place in a picture.`);
  const rounded = Math.round(value * 100) / 100;
  return String(rounded === 0 ? 0 : rounded);
}

export type Piece = string | number | Markup | readonly Markup[] | undefined;

/** Markup as it is written, with values in it: texts are escaped, markup is not, and undefined is nothing. */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return { markup: strings.reduce((text, next, place) => text + written(pieces[place - 1]) + next) };
}

function written(piece: Piece): string {
  if (piece === undefined) return '';
  if (typeof piece !== 'object') return escaped(String(piece));
  return 'markup' in piece ? piece.markup : piece.map(({ markup }) => markup).join('');
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;' };

/** Characters that XML 1.0 cannot hold (section 2.2), halves of surrogate pairs among them, become the replacement character. */
export function escaped(text: string): string {
  return text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd').replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
