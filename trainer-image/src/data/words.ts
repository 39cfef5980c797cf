/** Numbers as a sentence has them. */

/** `1,234` */
export const count = (number: number): string => number.toLocaleString('en');

/** With up to three digits, but never as 0 % or 100 % what is not. */
export function percent(share: number): string {
  if (share === 0 || share === 1) return `${share * 100} %`;
  if (share < 0.00001) return 'less than 0.001 %';
  if (share > 0.9999) return 'more than 99.99 %';
  return `${Number((share * 100).toPrecision(share > 0.99 ? 4 : 3))} %`;
}
