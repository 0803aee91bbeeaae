import { SingleBar } from "cli-progress";

/** Shows how far a long job is. */
export interface Progress {
  /** `done` units are done; `fields` are shown as the caller formatted them, in their order. */
  update(done: number, fields?: Readonly<Record<string, string>>): void;
  /** Shows the last state and ends the line. */
  stop(): void;
}

export interface ProgressOptions {
  /** What is being done, such as "epoch 3/20". */
  readonly label: string;
  /** Units in all. */
  readonly total: number;
  /** Units done before, by the run that is resumed. */
  readonly initial?: number;
  /** Where there is no terminal: seconds between two lines, at least. */
  readonly everySeconds?: number;
  readonly stream?: Stream;
  /** Milliseconds on a clock that never goes back. */
  readonly now?: () => number;
}

type Stream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** A bar on standard error where that is a terminal, else a plain line now and then; both tell the time left. */
export function startProgress({
  label,
  total,
  initial = 0,
  everySeconds = 10,
  stream = process.stderr,
  now = () => performance.now(),
}: ProgressOptions): Progress {
  const begun = now();
  const status = (done: number, fields: Readonly<Record<string, string>>): string[] => {
    const left = timeLeft({ done, initial, total, seconds: (now() - begun) / 1000 });
    const shown = Object.entries(fields).map(([name, text]) => `${name} ${text}`);
    return left === "" ? shown : [left, ...shown];
  };
  return stream.isTTY === true
    ? barProgress(label, total, initial, stream, status)
    : lineProgress(label, total, everySeconds * 1000, stream, status, now);
}

/** "3m07s left", at the speed so far; "" before anything is done. */
export function timeLeft(job: {
  readonly done: number;
  readonly initial: number;
  readonly total: number;
  readonly seconds: number;
}): string {
  const { done, initial, total, seconds } = job;
  return done > initial ? `${duration((seconds / (done - initial)) * Math.max(0, total - done))} left` : "";
}

type Status = (done: number, fields: Readonly<Record<string, string>>) => readonly string[];

const BAR_SIZE = 10;

function barProgress(
  label: string,
  total: number,
  initial: number,
  stream: Stream,
  status: Status,
): Progress {
  const bar = new SingleBar({
    stream,
    format: "{label} {bar} {value}/{total}{status}",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: BAR_SIZE,
    fps: 5,
  });
  const room = (): number => (stream.columns ?? 80) - `${label}  ${total}/${total}`.length - BAR_SIZE;
  bar.start(total, initial, { label, status: "" });
  return {
    update(done, fields = {}) {
      bar.update(done, { status: fitting(status(done, fields), room()) });
    },
    stop() {
      bar.stop();
    },
  };
}

/** As many texts as there is room for: a terminal cuts what is longer. */
function fitting(texts: readonly string[], room: number): string {
  let line = "";
  for (const text of texts) {
    const longer = `${line} | ${text}`;
    if (longer.length > room) break;
    line = longer;
  }
  return line;
}

function lineProgress(
  label: string,
  total: number,
  everyMs: number,
  stream: NodeJS.WritableStream,
  status: Status,
  now: () => number,
): Progress {
  let printedAt = -Infinity;
  let pending: string | null = null;
  const print = (line: string): void => {
    stream.write(line);
    printedAt = now();
    pending = null;
  };
  return {
    update(done, fields = {}) {
      const line = `${[`${label} ${done}/${total}`, ...status(done, fields)].join(" | ")}\n`;
      if (now() - printedAt >= everyMs) print(line);
      else pending = line;
    },
    stop() {
      if (pending !== null) print(pending);
    },
  };
}

/** Seconds as "42s", "3m07s" or "2h05m". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  if (hours > 0) return `${hours}h${two(minutes)}m`;
  return minutes > 0 ? `${minutes}m${two(whole % 60)}s` : `${whole}s`;
}
