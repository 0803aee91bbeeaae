/**
 * The kernel of a notebook: tslab in the project's folder, whatever folder the notebook lies in (it resolves packages
 * and their types from its current directory), with cells that can be interrupted and that fail when they should.
 */
import "./in-project.mjs";
import { writeSync } from "node:fs";
import process from "node:process";
import { nameCells, stopAllWork } from "./cells.mjs";
import { keepSourceMaps } from "./source-maps.mjs";

// tslab loads the library, which is an ES module, through require(): no notebook needs to hear that this is new.
process.removeAllListeners("warning");
process.on("warning", (warning) => {
  if (warning.name !== "ExperimentalWarning") process.stderr.write(`${warning.name}: ${warning.message}\n`);
});

// A kernel whose server was killed has nobody left to work for.
const server = process.ppid;
setInterval(() => {
  if (process.ppid !== server) process.exit();
}, 1000).unref();

nameCells();
keepSourceMaps();
// Loaded here: tslab looks around in the current directory when it is loaded.
const { failureOf } = await import("./failure.mjs");
const { CellHandler } = await import("./handler.mjs");
const { listenForInterrupts } = await import("./interrupts.mjs");
const { CellServer } = await import("./server.mjs");

/** As lib/notebook/run.py knows it. */
const UNHEARD_ERRORS = 70;

const told = (/** @type {unknown} */ error) => failureOf(error).traceback.join("\n");

/** Errors that nobody awaited, and so no cell failed of. @type {Map<unknown, unknown>} */
const unheard = new Map();
process.on("uncaughtException", (error) => {
  unheard.set(error, error);
  if (!isClosed) console.error(`UncaughtException: ${told(error)}`);
});
process.on("unhandledRejection", (reason, promise) => {
  if (isOfClosedSocket(reason)) return;
  unheard.set(promise, reason);
  if (!isClosed) console.error(`UnhandledPromiseRejection: ${told(reason)}`);
});
let isClosed = false;
/** tslab still reads from its sockets when it closes them. */
const isOfClosedSocket = (/** @type {unknown} */ reason) =>
  isClosed && reason instanceof Error && reason.stack?.includes("tslab/dist/jupyter") === true;
process.on("rejectionHandled", (promise) => {
  unheard.delete(promise);
});

const handler = new CellHandler();
listenForInterrupts(() => void handler.interrupt());
await new CellServer(handler, process.argv[2] ?? "", () => {
  isClosed = true;
  if (process.env["CASCADE_KERNEL_ENDS"] === "when idle") reportUnheardAtExit();
  else void stopAllWork().then(() => process.exit());
}).init();

/**
 * A notebook that is run without a screen (lib/notebook/run.py) is at its end when nothing is left to do: what was
 * begun without `await` goes on till then, and its errors count.
 */
function reportUnheardAtExit() {
  process.once("exit", () => {
    const [first] = unheard.values();
    if (unheard.size === 0) return;
    writeSync(2, `${String(first instanceof Error ? first.stack : first)}\n`);
    process.exitCode = UNHEARD_ERRORS;
  });
}
