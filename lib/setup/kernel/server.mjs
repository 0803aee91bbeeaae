/** The kernel's messages: cells one after the other, and a status that says "busy" for as long as one runs. */
import { setTimeout as sleep } from "node:timers/promises";
import { ZmqServer } from "./tslab.mjs";

/** @typedef {import("./tslab.mjs").Message} Message */
/** @typedef {import("./tslab.mjs").Socket} Socket */

/** What cells that were sent together with a failed one get to arrive in, so that they are passed over. */
const ARRIVAL_MS = 20;

/** After so long without a cell the reader is taken to read or to write. */
const REST_MS = 100;

export class CellServer extends ZmqServer {
  #handler;
  #onClosed;
  /** @type {Promise<void>} */
  #last = Promise.resolve();
  /** @type {Message | undefined} */
  #running;
  /** @type {Set<Message>} */
  #waiting = new Set();
  /** Cells that came before one that they waited for failed. @type {Set<Message>} */
  #passedOver = new Set();
  /** @type {NodeJS.Timeout | undefined} */
  #rest;

  /**
   * @param {import("./handler.mjs").CellHandler} handler
   * @param {string} configPath
   * @param {() => void} onClosed called when the notebook has asked for the kernel's end and all sockets are closed
   */
  constructor(handler, configPath, onClosed) {
    super(handler, configPath);
    this.#handler = handler;
    this.#onClosed = onClosed;
  }

  /**
   * @override
   * @param {"busy" | "idle"} status
   * @param {Message} parent
   */
  publishStatus(status, parent) {
    // tslab calls it when a request arrives; a cell is busy only when its turn comes.
    if (parent.header.msg_type === "execute_request" && status === "busy") return;
    super.publishStatus(status, parent);
    // A completion that was asked for meanwhile does not make the kernel idle.
    if (status === "idle" && this.#running !== undefined) super.publishStatus("busy", this.#running);
  }

  /**
   * @override
   * @param {Socket} socket
   * @param {Message} message
   */
  handleExecute(socket, message) {
    clearTimeout(this.#rest);
    this.#waiting.add(message);
    const turn = this.#last.then(() => this.#execute(socket, message));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /**
   * @param {Socket} socket
   * @param {Message} message
   */
  async #execute(socket, message) {
    this.#waiting.delete(message);
    super.publishStatus("busy", message);
    const reply = message.createReply();
    reply.header.msg_type = "execute_reply";
    if (this.#passedOver.delete(message)) reply.content = { status: "aborted" };
    else {
      this.#running = message;
      reply.content = await this.#answer(message);
      this.#running = undefined;
    }
    reply.signAndSend(this.connInfo.key, socket);
    clearTimeout(this.#rest);
    if (this.#waiting.size === 0)
      this.#rest = setTimeout(() => {
        this.#handler.readyExplanations();
      }, REST_MS).unref();
  }

  /** @returns {Promise<Record<string, unknown>>} */
  async #answer(/** @type {Message} */ message) {
    /** @type {unknown} */
    const content = message.content;
    const request = /** @type {import("./tslab.mjs").ExecuteRequest} */ (content);
    const publish = (/** @type {string} */ type, /** @type {Record<string, unknown>} */ content) => {
      const told = message.createReply();
      told.header.msg_type = type;
      told.content = content;
      told.signAndSend(this.connInfo.key, this.iopub);
    };
    publish("execute_input", { code: request.code, execution_count: this.#handler.count + 1 });
    const answer = await this.#handler.handleExecute(
      request,
      (name, text) => {
        publish("stream", { name, text });
      },
      (data, update) => {
        publish(update === true ? "update_display_data" : "display_data", data);
      },
    );
    if (answer.status === "error") {
      const { ename, evalue, traceback } = answer;
      publish("error", { ename, evalue, traceback });
    }
    if (answer.status === "error" && request.stop_on_error !== false) {
      await sleep(ARRIVAL_MS);
      for (const waiting of this.#waiting) this.#passedOver.add(waiting);
    }
    return answer;
  }

  /** @override */
  close() {
    super.close();
    this.#onClosed();
  }
}
