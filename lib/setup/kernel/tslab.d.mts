/** The types of tslab.mjs: what the kernel uses of tslab, whose own types leave most of it out. */

export interface Message {
  readonly header: { msg_type: string };
  content: Readonly<Record<string, unknown>>;
  createReply(): Message;
  signAndSend(key: string, socket: Socket): void;
}

export interface Socket {
  readonly send: unknown;
}

export type WriteStream = (name: "stdout" | "stderr", text: string) => void;
export type WriteDisplay = (data: Record<string, unknown>, update?: boolean) => void;

export interface ExecuteRequest {
  readonly code: string;
  readonly stop_on_error?: boolean;
}

export interface ExecuteReply extends Readonly<Record<string, unknown>> {
  readonly status: "ok" | "error";
  readonly execution_count: number;
}

export interface Executor {
  /** False if the cell failed, which has been printed then. */
  readonly execute: (source: string) => Promise<boolean>;
  /** What is known of the name before a position. */
  readonly inspect: (source: string, position: number) => unknown;
  /** Ends a cell that waits for something; what it waits for goes on. */
  readonly interrupt: () => void;
}

/** Where the executor prints what is wrong with a cell, and the value of its last expression. */
export interface CellConsole {
  readonly log: (...values: unknown[]) => void;
  readonly error: (...values: unknown[]) => void;
}

/** What answers a notebook's requests. */
export declare class JupyterHandlerImpl {
  constructor(executor: Executor, isJs: boolean);
  readonly executor: Executor;
  handleExecute(request: ExecuteRequest, write: WriteStream, display: WriteDisplay): Promise<ExecuteReply>;
  close(): void;
}

/** The sockets of a kernel. */
export declare class ZmqServer {
  constructor(handler: JupyterHandlerImpl, configPath: string);
  readonly connInfo: { readonly key: string };
  readonly iopub: Socket;
  init(): Promise<void>;
  close(): void;
  publishStatus(status: "busy" | "idle", parent: Message): void;
  handleExecute(socket: Socket, message: Message): Promise<void>;
}

/** Where notebook code's displays go. */
export declare function setDisplay(display: WriteDisplay): void;

/** tslab's executor for TypeScript in Node, whose cells resolve packages from the current folder. */
export declare function typescriptExecutor(console: CellConsole): Executor;
