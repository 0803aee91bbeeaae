import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline, type Readable, type Transform } from "node:stream";
import * as zlib from "node:zlib";
import { UserError } from "../util/errors.js";
import type { TarKind } from "./archive-kind.js";

/** Programs for what Node does not read itself, and the packages that have them. */
const PROGRAMS: Readonly<Partial<Record<TarKind, readonly [program: string, packageName: string]>>> = {
  "tar.bz2": ["bzip2", "bzip2"],
  "tar.xz": ["xz", "xz-utils"],
  "tar.zst": ["zstd", "zstd"],
};

/** The bytes of the tar archive at `path` without their compression, piece by piece. */
export async function* decompressed(
  path: string,
  kind: TarKind,
): AsyncGenerator<Uint8Array, void, undefined> {
  const program = PROGRAMS[kind];
  const builtIn = decompressor(kind);
  if (program !== undefined && builtIn === undefined) yield* outputOf(path, kind, program);
  else {
    const stored = createReadStream(path);
    try {
      yield* builtIn === undefined ? stored : pipeline(stored, builtIn, () => undefined);
    } finally {
      stored.destroy();
    }
  }
}

function decompressor(kind: TarKind): Transform | undefined {
  if (kind === "tar.gz") return zlib.createGunzip();
  // From Node 22.15 on.
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Transform };
  return kind === "tar.zst" ? createZstdDecompress?.() : undefined;
}

async function* outputOf(
  path: string,
  kind: TarKind,
  [program, packageName]: readonly [string, string],
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path, "r");
  const child = spawn(program, ["-d", "-c"], {
    stdio: [file.fd, "pipe", "pipe"],
  }) as ChildProcessByStdio<null, Readable, Readable>;
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  const closed = once(child, "close") as Promise<[number | null]>;
  // Without a listener a failure to start would end the process; it is told below.
  closed.catch(() => undefined);
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>;
    const [code] = await closed.catch((error: unknown) => {
      throw new UserError(
        `${path} is a .${kind} archive, which takes the program ${program}, and that does not start here; install ` +
          `the package ${packageName}, or unpack the archive and give its folder`,
        { cause: error },
      );
    });
    if (code !== 0) throw new Error(/\S.*/.exec(complaint)?.[0] ?? `${program} ended with ${String(code)}`);
  } finally {
    child.kill();
    await file.close();
  }
}
