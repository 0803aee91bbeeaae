/** Every component with its version and state, and what mends the missing ones: `npm run doctor [-- --json]`. */
import { parseArgs } from "node:util";
import { components } from "./components.mjs";
import { machine } from "./machine.mjs";
import { guardOutput } from "./output-streams.mjs";

guardOutput();
const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const found = components();
const bad = found.filter(({ state }) => state === "missing");

if (values.json)
  console.log(JSON.stringify({ ok: bad.length === 0, machine: machine(), components: found }, null, 2));
else {
  const width = Math.max(...found.map(({ name }) => name.length));
  for (const { name, state, version, detail } of found)
    console.log(`${name.padEnd(width)}  ${state.padEnd(8)}  ${detail ?? version}`);
  for (const { name, state, mend } of found)
    if (state !== "ok")
      console.log(`\n${name} is ${state === "missing" ? "needed" : "optional"}. To mend: ${mend ?? ""}`);
  console.log(bad.length === 0 ? "\nAll that is needed is there." : "");
}
process.exitCode = bad.length === 0 ? 0 : 1;
