import { messageOf } from "./errors.mjs";

const SECOND = 1000;
const seconds = (/** @type {number} */ since) => `${((Date.now() - since) / SECOND).toFixed(1)} s`;

/** Prints one line a step, on standard error; `quiet` leaves out the steps that had nothing to do. */
export function progressOf(/** @type {boolean} */ quiet) {
  const { stderr } = process;
  const line = (/** @type {string} */ title, /** @type {string} */ state) =>
    `setup: ${title.padEnd(28)} ${state}`;
  const overwrite = (/** @type {string} */ text) => stderr.write(`\r${text}\x1b[K`);

  return {
    note: (/** @type {string} */ message) => {
      stderr.write(`setup: ${message}\n`);
    },
    warn: (/** @type {string} */ message) => {
      stderr.write(`setup: warning: ${message}\n`);
    },
    alreadyThere(/** @type {string} */ title) {
      if (!quiet) stderr.write(`${line(title, "already there")}\n`);
    },
    /** Runs `work` with a clock beside its title. */
    async time(/** @type {string} */ title, /** @type {() => Promise<void>} */ work) {
      const begin = Date.now();
      const tick = () => overwrite(line(title, `working ... ${seconds(begin)}`));
      const clock = stderr.isTTY ? setInterval(tick, SECOND / 2) : undefined;
      try {
        await work();
        const done = line(title, `done in ${seconds(begin)}`);
        stderr.write(stderr.isTTY ? `\r${done}\x1b[K\n` : `${done}\n`);
      } catch (error) {
        const failed = line(title, `failed after ${seconds(begin)}`);
        stderr.write(stderr.isTTY ? `\r${failed}\x1b[K\n` : `${failed}\n`);
        throw error instanceof Error ? error : new Error(messageOf(error));
      } finally {
        clearInterval(clock);
      }
    },
  };
}
