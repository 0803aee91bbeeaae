/** The parts of tslab that the kernel is put together from. */
import { createRequire } from "node:module";
import process from "node:process";

const require = createRequire(import.meta.url);

/** @type {unknown} */
const jupyter = require("tslab/dist/jupyter.js");
export const { ZmqServer, JupyterHandlerImpl } =
  /** @type {Pick<typeof import("./tslab.mjs"), "ZmqServer" | "JupyterHandlerImpl">} */ (jupyter);

/** tslab's own functions, and lib/notebook, read it there. */
export function setDisplay(/** @type {import("./tslab.mjs").WriteDisplay} */ display) {
  /** @type {{ lastWriteDisplayData: unknown }} */ (jupyter).lastWriteDisplayData = display;
}

/** @typedef {{ close(): void }} Converter */
/** @type {unknown} */
const converter = require("tslab/dist/converter.js");
const { createConverter } =
  /** @type {{ createConverter: (options: { isJS: boolean, isBrowser: boolean }) => Converter }} */ (
    converter
  );

/** @type {unknown} */
const executor = require("tslab/dist/executor.js");
const { createExecutor } =
  /** @type {{ createExecutor: (folder: string, converters: object, console: object) => import("./tslab.mjs").Executor }} */ (
    executor
  );

export function typescriptExecutor(/** @type {import("./tslab.mjs").CellConsole} */ console) {
  const node = createConverter({ isJS: false, isBrowser: false });
  /** @type {Converter | undefined} */
  let browser;
  const converters = {
    node,
    get browser() {
      return (browser ??= createConverter({ isJS: false, isBrowser: true }));
    },
    close() {
      node.close();
      browser?.close();
    },
  };
  return createExecutor(process.cwd(), converters, console);
}
