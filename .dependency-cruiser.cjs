/** The rooms of lib/, top first: a room imports only from itself and from the rooms below it. */
const rooms = [
  "cli",
  "notebook",
  "studies",
  "experiments",
  "train",
  "models",
  "losses",
  "nn",
  "trace",
  "figures",
  "datasets",
  "noise",
  "util",
];

/** Rooms that need less than all below them: what a room here may import. */
const narrow = { losses: ["util"], nn: ["util"], trace: ["util"], figures: ["util"] };

const forbiddenTo = (room, depth) =>
  room in narrow
    ? rooms.filter((other) => other !== room && !narrow[room].includes(other))
    : rooms.slice(0, depth);
const folders = (names) => `^lib/(${names.join("|")})/`;

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    ...rooms.slice(1).map((room, i) => ({
      name: `what-${room}-imports`,
      severity: "error",
      from: { path: folders([room]) },
      to: { path: folders(forbiddenTo(room, i + 1)) },
    })),
    { name: "lib-does-not-import-tests", severity: "error", from: { path: "^lib" }, to: { path: "^test" } },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^lib/(dist|stubs)/" },
  },
};
