/** docs/architecture.svg: which room of lib/ imports from which, as dependency-cruiser finds it. */
import { cruise } from "dependency-cruiser";
import extractTSConfig from "dependency-cruiser/config-utl/extract-ts-config";
import { generated } from "./generated.mjs";

/** The rooms, top first, and what is in them. */
const ROOMS = /** @type {const} */ ([
  ["cli", "the commands of npx cascade"],
  ["notebook", "running notebooks, showing figures and tables in them"],
  ["studies", "each claim: trainings, analysis, findings; protocols, report"],
  ["experiments", "specs, runs, analyses, export, benchmark, parity"],
  ["train", "one training step, optimizer, schedule, checkpoints"],
  ["models", "networks as descriptions; evaluation, streaming, cost"],
  ["losses", "TD(lambda), exit weights"],
  ["nn", "layers over time, delay, timeline, operations, kernels"],
  ["trace", "analyses of logits over time: plain functions on arrays"],
  ["figures", "table to Plotly figure; export as SVG and PDF"],
  ["datasets", "loading, checking and splitting images"],
  ["noise", "noises of images, persistent or transient"],
  ["util", "random streams, statistics, files, errors"],
]);
const INK = { text: "#262626", pale: "#8A8A8A", grid: "#EBEBEB", dot: "#0072B2" };
const ROW = 24;
const LEFT = 500;
const TOP = 92;

const { output } = await cruise(
  ["lib"],
  {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^lib/(dist|stubs|setup|node_modules)/" },
  },
  undefined,
  { tsConfig: extractTSConfig("tsconfig.json") },
);
if (typeof output === "string") throw new Error(output);

/** @param {string} path */
const roomOf = (path) => /^lib\/(\w+)\//.exec(path)?.[1];

/** Imports from room to room. @type {Map<string, number>} */
const imports = new Map();
for (const { source, dependencies } of output.modules) {
  for (const { resolved } of dependencies) {
    const [from, to] = [roomOf(source), roomOf(resolved)];
    if (from === undefined || to === undefined || from === to) continue;
    imports.set(`${from} ${to}`, (imports.get(`${from} ${to}`) ?? 0) + 1);
  }
}

const names = ROOMS.map(([name]) => /** @type {string} */ (name));
const strange = [...imports.keys()].flatMap((pair) => pair.split(" ")).find((room) => !names.includes(room));
if (strange !== undefined)
  throw new Error(`docs/make/architecture.mjs does not know the room lib/${strange}`);

/** @param {number} i */
const middle = (i) => (i + 0.5) * ROW;
const side = names.length * ROW;

const rows = ROOMS.map(
  ([name, what], i) =>
    `<text x="16" y="${TOP + middle(i) + 4}" font-weight="bold">${name}</text>` +
    `<text x="118" y="${TOP + middle(i) + 4}" fill="${INK.pale}">${what}</text>` +
    `<text transform="translate(${LEFT + middle(i) + 4} ${TOP - 8}) rotate(-60)">${name}</text>` +
    `<path d="M${LEFT} ${TOP + i * ROW}h${side}M${LEFT + i * ROW} ${TOP}v${side}" stroke="${INK.grid}"/>` +
    `<rect x="${LEFT + i * ROW}" y="${TOP + i * ROW}" width="${ROW}" height="${ROW}" fill="${INK.grid}"/>`,
);
const dots = [...imports].sort().map(([pair, count]) => {
  const [from = "", to = ""] = pair.split(" ");
  const [row, column] = [names.indexOf(from), names.indexOf(to)];
  const radius = count > 15 ? 9 : count > 3 ? 6 : 3;
  return `<circle cx="${LEFT + middle(column)}" cy="${TOP + middle(row)}" r="${radius}" fill="${INK.dot}"/>`;
});

const [width, height] = [LEFT + side + 50, TOP + side + 16];
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="Arial, Helvetica, sans-serif" font-size="13" fill="${INK.text}">
<rect width="${width}" height="${height}" fill="#FFFFFF"/>
${[...rows, ...dots].join("\n")}
</svg>
`;
await generated("docs/architecture.svg", svg);
