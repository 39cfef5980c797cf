/** How the page looks: on a screen, light or dark, and on paper. */
import { fontFamily } from '../../report/style.ts';

export const style = `
:root { color-scheme: light dark; --text: #1c2330; --quiet: #5c6675; --line: #d9dee6; --back: #fff; --card: #f6f8fa; --bar: #0072b2; --other: #d55e00; --pass: #1f7a43; --warn: #96600a; --fail: #b3261e }
@media (prefers-color-scheme: dark) { :root { --text: #e4e8ee; --quiet: #9aa5b4; --line: #353d49; --back: #14181e; --card: #1c222a; --bar: #56b4e9; --other: #e69f00; --pass: #5fc487; --warn: #e0a94a; --fail: #f2877f } }
* { box-sizing: border-box }
html { font-size: 15px } body { margin: 0 auto; padding: 1.5rem; max-width: 80rem; font: 1rem/1.45 ${fontFamily}; color: var(--text); background: var(--back) }
h1 { font-size: 1.6rem; margin: 0 0 .2rem } h2 { font-size: 1.2rem; margin: 2rem 0 .6rem; break-after: avoid } h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere }
p { margin: .3rem 0; max-width: 60rem } a { color: inherit; text-decoration-color: var(--line) } .quiet { color: var(--quiet) }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .25rem .6rem .25rem 0; vertical-align: top; border-bottom: 1px solid var(--line); overflow-wrap: anywhere } th { font-weight: 600; color: var(--quiet); font-size: .85rem; white-space: nowrap; overflow-wrap: normal }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums } tr { break-inside: avoid }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); gap: .6rem; margin: 1rem 0 } .tile { background: var(--card); border-radius: .5rem; padding: .6rem .8rem } .tile b { display: block; font-size: 1.25rem; overflow-wrap: anywhere }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(21rem, 1fr)); gap: .8rem } .card { background: var(--card); border-radius: .5rem; padding: .7rem .9rem; break-inside: avoid; min-width: 0 } .card header { display: flex; gap: .6rem; justify-content: space-between; align-items: baseline; margin-bottom: .4rem }
.tag { font-size: .8rem; color: var(--quiet); white-space: nowrap } .pass { color: var(--pass) } .warn { color: var(--warn) } .fail { color: var(--fail) } .outcome { font-weight: 600; white-space: nowrap }
dl { columns: 2; column-gap: 1.2rem; margin: .4rem 0 0; font-size: .87rem } dl div { display: flex; break-inside: avoid; justify-content: space-between; gap: .5rem; min-width: 0 } dl.long { columns: 1 } dt { color: var(--quiet); white-space: nowrap } dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; min-width: 0 }
svg { display: block; max-width: 100%; height: auto } svg + table { margin-top: 1rem } svg.wide { width: 100% } svg text { fill: var(--quiet); font: 11px ${fontFamily} } svg .bar { fill: var(--bar) } svg .other { fill: var(--other) } svg .axis { stroke: var(--line) } .bare { white-space: nowrap; overflow-wrap: normal } .meter { display: inline-block; vertical-align: middle; margin-right: .4rem }
.top { font-size: .87rem } .top td { padding-top: .1rem; padding-bottom: .1rem; border: 0 } .top td:first-child { max-width: 11rem } .top td:nth-child(2) { width: 40% }
@media print { :root { --text: #000; --quiet: #444; --line: #bbb; --back: #fff; --card: #fff; --bar: #0072b2; --other: #d55e00; --pass: #1f7a43; --warn: #96600a; --fail: #b3261e } html { font-size: 10px } body { padding: 0; max-width: none; print-color-adjust: exact } .card, .tile { border: 1px solid var(--line) } .cards { grid-template-columns: repeat(2, 1fr) } }
`;
