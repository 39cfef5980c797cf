/** Text that must fit into a field of a Kubernetes object. */

/** The start of a text, never ending in half a character, which the API server would replace. */
export function cutText(text: string, longest: number): string {
  return text.length <= longest ? text : withoutHalf(text.slice(0, longest));
}

/** The end of a text: of what a program said, the last words tell most. */
export function endOfText(text: string, longest: number): string {
  return text.length <= longest ? text : `…${text.slice(1 - longest).replace(/^[\uDC00-\uDFFF]/, '')}`;
}

/** A text that goes on in another sentence. */
export function sentence(text: string): string {
  return text === '' || /[.!?…:]$/.test(text) ? text : `${text}.`;
}

/** As `cutText`, for fields that Kubernetes measures in bytes of UTF-8. */
export function cutBytes(text: string, longestBytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(longestBytes));
  return text.slice(0, read);
}

function withoutHalf(text: string): string {
  return text.replace(/[\uD800-\uDBFF]$/, '');
}
