/**
 * The page's style. Colours of the causes are those of Okabe and Ito ("Color Universal Design", 2008), darkened for
 * light ground and lightened for dark where the contrast asks for it; a shape and a word always go with the colour.
 * The page's policy names the hash of this text: a test says which one where it does not fit.
 */
export const STYLE = `
:root { color-scheme: light dark;
  --ground: #fbfbfa; --panel: #fff; --ink: #1c1e21; --soft: #5b6168; --line: #dcdee1; --accent: #0b5cad;
  --met: #00734f; --missed: #b03a00; --area: #b9c2cc; --focus: #0b5cad;
  --late-submit: #8a5fd0; --waiting-behind: #d98200; --wakeup: #2f8fd0; --preempted: #00875f; --gc: #b8508f;
  --overrun: #cc4a00; --hung: #005a99; --crashed: #17191c; --shed: #8a4b00; --unknown: #7d848c; --none: #565c63; }
@media screen and (prefers-color-scheme: dark) { :root {
  --ground: #14171a; --panel: #1d2125; --ink: #e8eaed; --soft: #a5acb4; --line: #363c43; --accent: #7db7f0;
  --met: #43c79b; --missed: #ff9a5c; --area: #4a5560; --focus: #9cc9f7;
  --late-submit: #b79af0; --waiting-behind: #f0a830; --wakeup: #6cc0f5; --preempted: #2fc48f; --gc: #e38fc0;
  --overrun: #ff7433; --hung: #5aa5e8; --crashed: #f5f6f7; --shed: #d9a15c; --unknown: #8f979f; --none: #b7bdc4; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif; overflow-wrap: anywhere; }
main, header, footer { max-width: 76rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
h1 { font-size: 1rem; font-weight: 600; color: var(--soft); margin: 0; }
.verdict { font-size: clamp(1.5rem, 5vw, 2.4rem); font-weight: 700; line-height: 1.15; margin: .3rem 0 .6rem; letter-spacing: -.01em; }
.verdict.met { color: var(--met); } .verdict.missed { color: var(--missed); }
header ul { margin: 0 0 .8rem; padding-left: 1.1rem; max-width: 46rem; }
.about, .note, small { color: var(--soft); font-size: .85rem; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1rem; padding: .5rem 0; border-bottom: 1px solid var(--line); }
a { color: var(--accent); } nav a { padding: .25rem 0; text-underline-offset: .2em; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; scroll-margin-top: .5rem; }
h3 { font-size: .95rem; margin: 0; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 3px; } .pan:focus-visible { outline-offset: 0; }
.cards { list-style: none; margin: 1.2rem 0 0; padding: 0; display: grid; gap: .8rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15.5rem), 1fr)); }
.card, .plot, .scroll, .miss, section > .facts { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; }
.card { padding: .8rem 1rem; border-top: 4px solid var(--line); min-width: 0; }
.card.met { border-top-color: var(--met); } .card.missed { border-top-color: var(--missed); }
.card p { margin: 0; color: var(--soft); } .card .figure { font-size: 1.35rem; font-weight: 700; color: var(--ink); }
.card.met .figure { color: var(--met); } .card.missed .figure { color: var(--missed); }
.card dl { display: grid; grid-template-columns: 1fr auto; gap: .1rem .8rem; margin: .5rem 0 0; font-size: .88rem; } .card dd { white-space: nowrap; }
dt { color: var(--soft); } dd { margin: 0; font-variant-numeric: tabular-nums; } .card dd { text-align: right; }
.plot { margin: 0 0 1rem; padding: .8rem 1rem 1rem; }
figcaption { font-size: .9rem; margin-bottom: .8rem; }
.tools { display: flex; flex-wrap: wrap; gap: .5rem; margin: .4rem 0; }
button, select { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--soft); border-radius: 6px; padding: .35rem .7rem; max-width: 100%; min-height: 2.3rem; }
button:hover { border-color: var(--accent); color: var(--accent); } button:disabled { opacity: .5; }
label { display: inline-flex; flex-wrap: wrap; gap: .4rem; align-items: center; max-width: 100%; }
output { display: block; min-height: 3em; font-size: .88rem; color: var(--soft); font-variant-numeric: tabular-nums; }
output b { color: var(--ink); }
.axes { display: grid; grid-template-columns: 3.6rem minmax(0, 1fr); gap: .4rem; }
svg { display: block; overflow: visible; } svg text { fill: var(--soft); font-size: 12px; }
.y { width: 100%; height: 260px; } .pan { overflow-x: auto; overflow-y: hidden; padding: 8px 0; margin: -8px 0; }
.data, .x { width: calc(100% * var(--zoom, 1)); } .data { height: 260px; border-bottom: 1px solid var(--soft); cursor: crosshair; } .x { height: 18px; margin-top: 4px; }
.stretch { width: 100%; height: 100%; overflow: hidden; }
.grid { stroke: var(--line); } .cursor { stroke: var(--ink); stroke-width: 1.5; pointer-events: none; }
.on-time { fill: var(--area); } .drop { fill: var(--missed); fill-opacity: .16; }
.bar { stroke-width: 2; vector-effect: non-scaling-stroke; stroke: currentColor; }
.deadline { fill: none; stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 6 4; vector-effect: non-scaling-stroke; }
.c-lateSubmit { --c: var(--late-submit); color: var(--c); } .c-waitingBehind { --c: var(--waiting-behind); color: var(--c); } .c-wakeup { --c: var(--wakeup); color: var(--c); }
.c-preempted { --c: var(--preempted); color: var(--c); } .c-gc { --c: var(--gc); color: var(--c); } .c-overrun { --c: var(--overrun); color: var(--c); } .c-hung { --c: var(--hung); color: var(--c); }
.c-crashed { --c: var(--crashed); color: var(--c); } .c-shed { --c: var(--shed); color: var(--c); } .c-unknown { --c: var(--unknown); color: var(--c); } .c-none { --c: var(--none); color: var(--c); } .c-dropped { --c: var(--missed); color: var(--c); }
.data > use { fill: currentColor; stroke: var(--panel); stroke-width: 1; } .data > use.c-none { --c: var(--missed); color: var(--c); }
.bar, rect, .sym { fill: currentColor; } .sym { display: inline-block; width: .85em; height: .85em; vertical-align: -.05em; margin-right: .45em; }
.definitions { position: absolute; width: 0; height: 0; }
.legend { list-style: none; margin: 1rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; font-size: .88rem; }
.key-line { display: inline-block; width: 1.6em; border-top: 2px dashed; vertical-align: .25em; } .key-area { display: inline-block; width: 1em; height: .7em; background: var(--area); }
.series { fill: none; stroke: currentColor; stroke-width: 2.2; vector-effect: non-scaling-stroke; } .limit { stroke: currentColor; stroke-width: 1; }
.line-key { display: inline-block; width: 28px; height: 8px; }
.l-0 { color: var(--hung); } .l-1 { color: var(--overrun); stroke-dasharray: 8 4; } .l-2 { color: var(--preempted); stroke-dasharray: 2 3; } .l-3 { color: var(--gc); stroke-dasharray: 10 3 2 3; }
.l-4 { color: var(--waiting-behind); stroke-dasharray: 4 4; } .l-5 { color: var(--late-submit); stroke-dasharray: 12 5; } .l-6 { color: var(--wakeup); stroke-dasharray: 8 3 2 3 2 3; } .l-7 { color: var(--unknown); stroke-dasharray: 1 4; }
.miss { margin-bottom: .4rem; } .miss summary { padding: .55rem .8rem; cursor: pointer; } .miss summary::marker { color: var(--soft); }
.miss[open] { padding-bottom: .8rem; } .miss[open] > :not(summary) { margin-left: 1rem; margin-right: 1rem; }
.late { white-space: nowrap; font-variant-numeric: tabular-nums; font-weight: 600; } .behind { color: var(--soft); } summary small { white-space: nowrap; float: right; padding-left: .8rem; }
.bar { width: auto; } svg.bar { width: calc(100% - 2rem); height: 18px; border-radius: 4px; overflow: hidden; stroke: none; } .bar rect { stroke: var(--panel); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.segments dt::before { content: ''; display: inline-block; width: .8em; height: .8em; border-radius: 2px; background: var(--c); margin-right: .5em; } dt.no { color: var(--soft); font-style: italic; } .segments dt { color: var(--soft); } .segments .no::before { background: none; border: 1px dashed; }
.miss p { margin-top: .7rem; margin-bottom: 0; font-size: .9rem; color: var(--soft); }
.segments, .facts { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .15rem 1rem; margin: .7rem 0 0; font-size: .9rem; } section > .facts { padding: .8rem 1rem; }
.scroll { overflow-x: auto; margin-bottom: 1rem; position: relative; }
table { border-collapse: collapse; font-size: .88rem; min-width: 100%; overflow-wrap: normal; } caption { text-align: left; font-weight: 600; padding: .7rem .8rem .3rem; }
th, td { padding: .35rem .8rem; text-align: right; vertical-align: top; white-space: nowrap; font-variant-numeric: tabular-nums; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 600; } th.w, td.w { text-align: left; white-space: normal; min-width: 5rem; } td.w:last-child, td.w:nth-child(4) { min-width: 13rem; } th:first-child { text-align: left; position: sticky; left: 0; background: var(--panel); max-width: 12rem; white-space: normal; z-index: 1; min-width: 6rem; }
.over { color: var(--missed); } footer { padding-top: 2rem; padding-bottom: 3rem; }
[hidden] { display: none !important; }
@media (max-width: 30rem) { main, header, footer { padding-left: .7rem; padding-right: .7rem; } .plot { padding: .7rem; } .axes { grid-template-columns: 3rem minmax(0, 1fr); } svg text { font-size: 11px; } .x .odd { display: none; }
  summary small { float: none; display: block; padding-left: 1.2rem; } th:first-child { max-width: 8rem; } th, td { padding: .35rem .6rem; } .y, .data { height: 220px; } }
@media (forced-colors: active) { .sym, .bar, .segments dt::before { forced-color-adjust: none; } }
@media print { :root { color-scheme: light; --ground: #fff; } html { font-size: 12px; } body { font-size: 1rem; } nav, .tools, output { display: none; } .plot, .card, .miss { break-inside: avoid; } .scroll { overflow: visible; } th, td { white-space: normal; padding: .15rem .3rem; } * { print-color-adjust: exact; } }
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
`;
