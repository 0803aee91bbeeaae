/** CSS of the report, for screen and print. */
export const REPORT_STYLE = `
@page { size: A4; margin: 15mm 16mm 17mm; @bottom-center { content: counter(page) " / " counter(pages); font: 8pt "Open Sans", Arial, sans-serif; color: #666; } }
@page wide { size: A4 landscape; }
:root { --ink: #1d1d1f; --soft: #5c5c62; --line: #d9d9de; --held: #00694d; --part: #7a5200; --not: #a33a00; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 46rem; color: var(--ink); font: 10.5pt/1.5 "Open Sans", Arial, Helvetica, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .6rem; }
h2 { font-size: 1.15rem; line-height: 1.35; margin: 2.4rem 0 .4rem; }
p { margin: .4rem 0; }
a { color: inherit; text-decoration-color: var(--line); text-underline-offset: .15em; }
small, .where, .source, figcaption { color: var(--soft); font-size: .85em; }
code { font: .92em ui-monospace, "DejaVu Sans Mono", Menlo, monospace; overflow-wrap: anywhere; }
.kicker { color: var(--soft); margin: 0 0 .2rem; }
.claim { border-left: 3px solid var(--line); padding-left: .8rem; font-style: italic; }
table { border-collapse: collapse; width: 100%; margin: .8rem 0; font-size: .9em; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 700; border-bottom-color: var(--ink); }
caption, .title { text-align: left; font-weight: 700; padding: .8rem 0 .3rem; }
.title { margin: 0; font-size: .9em; }
nav ul { list-style: none; padding: 0; margin: 1rem 0; }
nav li { margin: .15rem 0; font-size: .9em; }
h3 { font-size: 1rem; margin: 1.6rem 0 .3rem; }
h2, section { scroll-margin-top: 1rem; }
@media screen and (min-width: 84rem) {
  nav { position: fixed; top: 1.5rem; left: max(1rem, calc(50vw - 41rem)); width: 16rem; max-height: calc(100vh - 3rem); overflow-y: auto; }
}
.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.numbers { width: auto; min-width: 60%; font-size: .82em; }
.numbers th, .numbers td { padding-top: .15rem; padding-bottom: .15rem; }
details { margin: .8rem 0; }
summary { font-size: .9em; font-weight: 700; }
.scroll { overflow-x: auto; }
.verdict, .outcome { white-space: nowrap; }
.reason { white-space: normal; }
.findings td:nth-child(2) { width: 45%; }
.untested { color: var(--soft); border-style: dotted; }
.badge { display: inline-block; padding: .05rem .5rem; border: 1.5px solid; border-radius: 1rem; font-size: .72rem; font-weight: 700; white-space: nowrap; vertical-align: middle; }
.held { color: var(--held); } .part { color: var(--part); border-style: dashed; } .not { color: var(--not); }
span.held, span.not { font-weight: 700; }
.notes { border: 1px solid var(--line); padding: .2rem 1rem .4rem; margin-top: 1.5rem; }
.notes h2 { margin-top: .6rem; font-size: 1rem; }
figure { margin: 1.4rem 0; break-inside: avoid; }
figure svg { display: block; max-width: 100%; height: auto; margin: 0 auto; }
figcaption { margin-top: .4rem; }
.absent { border: 1px dashed var(--line); padding: 1.5rem; text-align: center; color: var(--soft); }
ul { padding-left: 1.2rem; }
@media print {
  body { max-width: none; padding: 0; font-size: 8.6pt; line-height: 1.35; }
  th, td { padding-top: .2rem; padding-bottom: .2rem; }
  h2, .where, .claim, .findings caption { break-after: avoid; }
  .claim { break-inside: avoid; }
  .findings tbody tr:first-child { break-before: avoid; }
  p { orphans: 3; widows: 3; }
  .verdict br { display: none; }
  .verdict small { margin-left: .6rem; }
  .appendix { break-before: page; }
  .study { break-inside: auto; }
  .appendix > .study + .study { border-top: 1px solid var(--line); margin-top: 6mm; }
  .told-below { display: none; }
  h2 { margin-top: 1.1rem; }
  figure { margin: .8rem 0; }
  figure svg { max-height: 58mm; }
  tr { break-inside: avoid; }
  thead { display: table-header-group; }
  .scroll { overflow: visible; }
  .numbers { font-size: .78em; }
  nav { display: none; }
  .wide { page: wide; font-size: .85em; }
  .numbers th, .numbers td { padding-right: .35rem; }
}
`;
