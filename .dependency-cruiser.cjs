/** The rooms of lib/, top first: a room imports only from itself and from the rooms below it. */
const rooms = [
  ["cli"],
  ["notebook"],
  ["studies"],
  ["experiments"],
  ["train"],
  ["models", "losses"],
  ["nn"],
  ["trace"],
  ["figures"],
  ["datasets", "noise"],
  ["util"],
];

const folders = (names) => `^lib/(${names.join("|")})/`;

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    ...rooms.slice(1).map((names, depth) => ({
      name: `${names.join("-and-")}-imports-down-only`,
      severity: "error",
      from: { path: folders(names) },
      to: { path: folders(rooms.slice(0, depth + 1).flat()) },
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
