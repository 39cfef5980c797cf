/** How plots look: on white, on black and in print, for any eyes. */

/** Reads on white and on near-black alike (contrast over 4:1 on both), since a picture does not know its ground. */
export const ink = '#7a7a7a';
/** For numbers on cells, which need a ground of their own: no grey reads on every shade of a colour over white and over black. */
export const ground = '#ffffff';
export const inkOnPale = '#222222';
export const inkOnStrong = '#ffffff';

/** Okabe and Ito (2008), "Color Universal Design", without black and yellow, which vanish on black or on white. */
export const colours = ['#0072B2', '#D55E00', '#009E73', '#E69F00', '#CC79A7', '#56B4E9'] as const;
export const right = colours[0];
export const wrong = colours[1];

/** The seventh line looks like the first, but dashed. */
export const colourOf = (index: number): string => colours[index % colours.length] ?? ink;
export const dashOf = (index: number): string | undefined => (['6 3', '2 3'][Math.floor(index / colours.length) - 1]);

export const fontFamily = 'system-ui, Helvetica, Arial, sans-serif';
export const fontSize = 11;
export const titleSize = 13;

/** Widths in em of a wide sans-serif face, so that what fits here fits elsewhere. */
const narrow = /[ijltfrI.,:;'|!()[\] ]/u;
const wide = /[mwMW@%—]/u;
const capital = /[\p{Lu}\d_=+<>~−]/u;
const fullWidth = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\u{1f000}-\u{3ffff}]/u;

/** Estimated width in pixels. */
export function widthOf(text: string, size = fontSize): number {
  let em = 0;
  for (const character of text) em += fullWidth.test(character) ? 1.05 : narrow.test(character) ? 0.4 : wide.test(character) ? 0.98 : capital.test(character) ? 0.7 : 0.63;
  return em * size;
}

/** What a person sees as one character may be several code points. */
const segmenter = new Intl.Segmenter('en');

/** The text, or as much of its beginning as fits, and an ellipsis. */
export function fitted(text: string, width: number, size = fontSize): string {
  if (widthOf(text, size) <= width) return text;
  const characters = Array.from(segmenter.segment(text), ({ segment }) => segment);
  while (characters.length > 1 && widthOf(`${characters.join('')}…`, size) > width) characters.pop();
  return `${characters.join('').trimEnd()}…`;
}
