/**
 * A page of HTML that stands alone: no script, nothing loaded from elsewhere, readable in light and dark and on paper. Every text that goes
 * into it is escaped unless it was made here.
 */

/** Markup that is safe to put into a page as it is. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Piece = string | number | Markup | readonly Markup[] | undefined;

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;' };

/** Safe in text and in quoted attributes. Control characters, which HTML does not allow, become the sign for what cannot be shown. */
function escape(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => escapes[sign] ?? sign).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '\ufffd').toWellFormed();
}

/** Markup with values in it: texts are escaped, markup is not. */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return new Markup(strings.reduce((text, next, place) => text + written(pieces[place - 1]) + next));
}

function written(piece: Piece): string {
  if (piece === undefined) return '';
  if (piece instanceof Markup) return piece.text;
  if (typeof piece === 'object') return piece.map(({ text }) => text).join('');
  return escape(String(piece));
}

/** The whole page. The policy lets a browser load nothing even if something slipped in. */
export function page(title: string, body: Markup): string {
  return `${html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
${body}
</body>
</html>`.text}\n`;
}

const style = `
:root { color-scheme: light dark; --text: #1c2330; --quiet: #5c6675; --line: #d9dee6; --back: #fff; --card: #f6f8fa; --bar: #3a76c4; --other: #c9622c; --pass: #1f7a43; --warn: #96600a; --fail: #b3261e }
@media (prefers-color-scheme: dark) { :root { --text: #e4e8ee; --quiet: #9aa5b4; --line: #353d49; --back: #14181e; --card: #1c222a; --bar: #6aa3ea; --other: #e58a57; --pass: #5fc487; --warn: #e0a94a; --fail: #f2877f } }
* { box-sizing: border-box }
html { font-size: 15px } body { margin: 0 auto; padding: 1.5rem; max-width: 80rem; font: 1rem/1.45 system-ui, sans-serif; color: var(--text); background: var(--back) }
h1 { font-size: 1.6rem; margin: 0 0 .2rem } h2 { font-size: 1.2rem; margin: 2rem 0 .6rem; break-after: avoid } h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere }
p { margin: .3rem 0; max-width: 60rem } a { color: inherit; text-decoration-color: var(--line) } .quiet { color: var(--quiet) }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .25rem .6rem .25rem 0; vertical-align: top; border-bottom: 1px solid var(--line); overflow-wrap: anywhere } th { font-weight: 600; color: var(--quiet); font-size: .85rem; white-space: nowrap; overflow-wrap: normal }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums } tr { break-inside: avoid }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); gap: .6rem; margin: 1rem 0 } .tile { background: var(--card); border-radius: .5rem; padding: .6rem .8rem } .tile b { display: block; font-size: 1.25rem; overflow-wrap: anywhere }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(21rem, 1fr)); gap: .8rem } .card { background: var(--card); border-radius: .5rem; padding: .7rem .9rem; break-inside: avoid; min-width: 0 } .card header { display: flex; gap: .6rem; justify-content: space-between; align-items: baseline; margin-bottom: .4rem }
.tag { font-size: .8rem; color: var(--quiet); white-space: nowrap } .pass { color: var(--pass) } .warn { color: var(--warn) } .fail { color: var(--fail) } .outcome { font-weight: 600; white-space: nowrap }
dl { columns: 2; column-gap: 1.2rem; margin: .4rem 0 0; font-size: .87rem } dl div { display: flex; break-inside: avoid; justify-content: space-between; gap: .5rem; min-width: 0 } dl.long { columns: 1 } dt { color: var(--quiet); white-space: nowrap } dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; min-width: 0 }
svg { display: block; max-width: 100%; height: auto } svg + table { margin-top: 1rem } svg.wide { width: 100% } svg text { fill: var(--quiet); font: 11px system-ui, sans-serif } svg .bar { fill: var(--bar) } svg .other { fill: var(--other) } svg .axis { stroke: var(--line) } .bare { white-space: nowrap; overflow-wrap: normal } .meter { display: inline-block; vertical-align: middle; margin-right: .4rem }
.top { font-size: .87rem } .top td { padding-top: .1rem; padding-bottom: .1rem; border: 0 } .top td:first-child { max-width: 11rem } .top td:nth-child(2) { width: 40% }
@media print { :root { --text: #000; --quiet: #444; --line: #bbb; --back: #fff; --card: #fff; --bar: #3a76c4; --other: #c9622c; --pass: #1f7a43; --warn: #96600a; --fail: #b3261e } html { font-size: 10px } body { padding: 0; max-width: none; print-color-adjust: exact } .card, .tile { border: 1px solid var(--line) } .cards { grid-template-columns: repeat(2, 1fr) } }
`;
