import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { download, type DownloadLimits } from "../../lib/datasets/download.js";
import { userError } from "../user-error.js";
import { temporaryFolder } from "../temporary-folder.js";

const content = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) % 251));
const md5 = createHash("md5").update(content).digest("hex");

/** A server that breaks off after `breaks[i]` bytes at its i-th answer and notes the range asked for. */
async function serve(context: TestContext, breaks: readonly number[], ranges = true) {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const { range } = request.headers;
    const limit = breaks[asked.length] ?? Infinity;
    asked.push(range);
    const from = ranges ? Number(/bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0) : 0;
    if (request.url !== "/set") {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(from > 0 ? 206 : 200, {
      "content-length": content.length - from,
      ...(from > 0 && { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` }),
    });
    response.write(content.subarray(from, from + Math.min(limit, content.length)), () => {
      if (limit === Infinity) response.end();
      else setTimeout(() => response.destroy(), 50);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => void server.close());
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/set` };
}

const quiet = { onReport: () => undefined };

test("a download that breaks off goes on where it stopped, and is checked", async (context) => {
  const path = join(await temporaryFolder(context), "deep", "set.bin");
  const { url, asked } = await serve(context, [100_000]);
  await download(url, path, md5, quiet);
  assert.deepEqual(await readFile(path), content);
  assert.equal(asked.length, 2);
  assert.match(asked[1] ?? "", /^bytes=[1-9]\d*-$/);
  // A process that was killed between the file and the end of its lock leaves the lock.
  await mkdir(`${path}.lock/.lock`, { recursive: true });
  await download(url, path, md5, quiet);
  assert.equal(asked.length, 2, "what is there is not fetched again");
  assert.deepEqual(await readdir(dirname(path)), ["set.bin"]);
});

test("of several downloads of an archive at once one fetches it and the others wait for it", async (context) => {
  const path = join(await temporaryFolder(context), "set.bin");
  const { url, asked } = await serve(context, [100_000]);
  const reports: string[] = [];
  const options = { onReport: (line: string) => void reports.push(line) };
  await Promise.all([0, 1, 2].map(() => download(url, path, md5, options)));
  assert.deepEqual(await readFile(path), content);
  assert.equal(asked.length, 2, "once broken off, once gone on");
  const waited = reports.filter((line) => line === "another process downloads set.bin; waiting for it");
  assert.equal(waited.length, 2);
  assert.deepEqual(await readdir(dirname(path)), ["set.bin"]);
});

test("a part left by an earlier run is completed; a server without ranges starts over", async (context) => {
  for (const ranges of [true, false]) {
    const path = join(await temporaryFolder(context), "set.bin");
    await writeFile(`${path}.part`, content.subarray(0, 1234));
    const { url, asked } = await serve(context, [], ranges);
    await download(url, path, md5, quiet);
    assert.deepEqual(await readFile(path), content);
    assert.deepEqual(asked, ["bytes=1234-"]);
  }
});

test("a wrong checksum or an unknown address leaves no file behind", async (context) => {
  const path = join(await temporaryFolder(context), "set.bin");
  const { url } = await serve(context, []);
  await assert.rejects(download(url, path, "0".repeat(32), quiet), /arrived with MD5 \w+, published is 0+/);
  await assert.rejects(download(url.replace("set", "other"), path, md5, quiet), /the server answers 404/);
  assert.deepEqual(await readdir(dirname(path)), []);
});

const SOON: DownloadLimits = {
  stallMs: 300,
  totalMs: 20_000,
  attempts: 3,
  pauseMs: 10,
  longestPauseMs: 200,
  bytes: 2 ** 20,
};

/** A server that answers as `answer` does, and counts how often it is asked. */
async function answering(
  context: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
): Promise<{ readonly url: string; readonly count: () => number }> {
  let count = 0;
  const server = createServer((request, response) => {
    answer(request, response, ++count);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/set`, count: () => count };
}

const whole = (response: ServerResponse): void => {
  response.writeHead(200, { "content-length": content.length }).end(content);
};

test(
  "stalls, before the answer or within it, are given up soon, and what came is kept",
  { timeout: 20_000 },
  async (context) => {
    for (const sent of [0, 1000]) {
      const path = join(await temporaryFolder(context), "set.bin");
      const { url, count } = await answering(context, (_request, response) => {
        if (sent > 0)
          response.writeHead(200, { "content-length": content.length }).write(content.subarray(0, sent));
      });
      await assert.rejects(
        download(url, path, md5, quiet, SOON),
        userError(
          /nothing came for 0\.3 seconds; run it again to go on where it stopped, or give a local file$/,
        ),
      );
      assert.equal(count(), SOON.attempts);
      assert.equal(existsSync(`${path}.part`), sent > 0);
    }
  },
);

test("an endless body, and one that promises too much, end at the limit", async (context) => {
  for (const header of [{}, { "content-length": 2 ** 40 }]) {
    const path = join(await temporaryFolder(context), "set.bin");
    const { url, count } = await answering(context, (_request, response) => {
      response.writeHead(200, header);
      const more = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(2 ** 16), () => setImmediate(more));
      };
      more();
    });
    await assert.rejects(
      download(url, path, md5, quiet, SOON),
      userError(/gives more than 1 MiB, which is not/),
    );
    assert.equal(count(), 1);
    assert.ok(!existsSync(`${path}.part`) || statSync(`${path}.part`).size <= SOON.bytes);
  }
});

test("a server that is busy is asked again, when it says; a loop of redirects is counted once", async (context) => {
  const folder = await temporaryFolder(context);
  for (const [status, header] of [
    [429, { "retry-after": "0" }],
    [503, { "retry-after": new Date(Date.now() - 1000).toUTCString() }],
    [503, {}],
  ] as const) {
    const path = join(folder, `${status}${Object.keys(header).length}.bin`);
    const { url, count } = await answering(context, (_request, response, n) => {
      if (n < 3) response.writeHead(status, header).end();
      else whole(response);
    });
    await download(url, path, md5, quiet, SOON);
    assert.equal(count(), 3);
    assert.deepEqual(await readFile(path), content);
  }
  const busy = await answering(context, (_request, response) => void response.writeHead(503).end());
  await assert.rejects(
    download(busy.url, join(folder, "busy"), md5, quiet, SOON),
    userError(/the server is busy \(it answers 503\); run it again/),
  );
  const loop = await answering(context, (request, response) => {
    response.writeHead(302, { location: request.url }).end();
  });
  await assert.rejects(
    download(loop.url, join(folder, "loop"), md5, quiet, SOON),
    userError(/is redirected more than 5 times/),
  );
  assert.equal(loop.count(), 6);
  const away = await answering(
    context,
    (_request, response) => void response.writeHead(302, { location: "file:///etc/passwd" }).end(),
  );
  await assert.rejects(
    download(away.url, join(folder, "away"), md5, quiet, SOON),
    userError(/redirected to "file:/),
  );
});

test("a redirect is followed, and a server that goes on at another byte is not believed", async (context) => {
  const path = join(await temporaryFolder(context), "set.bin");
  await writeFile(`${path}.part`, content.subarray(0, 1000));
  const { url } = await answering(context, (request, response) => {
    if (request.url === "/set") response.writeHead(302, { location: "/moved" }).end();
    else
      response
        .writeHead(206, { "content-range": `bytes 0-${content.length - 1}/${content.length}` })
        .end(content);
  });
  await assert.rejects(
    download(url, path, md5, quiet, SOON),
    userError(/went on at "bytes 0-.* where byte 1000 was due/),
  );
  assert.equal(statSync(`${path}.part`).size, 1000);
});

test("the proxy that the environment names is asked", async (context) => {
  const path = join(await temporaryFolder(context), "set.bin");
  const origin = await answering(context, (_request, response) => {
    whole(response);
  });
  const asked: (string | undefined)[] = [];
  const proxy = createServer().on("connect", (request: IncomingMessage, client: Socket) => {
    asked.push(request.url);
    const server = connect(Number(new URL(origin.url).port), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      server.pipe(client).pipe(server);
    });
    client.on("error", () => server.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  context.after(() => void proxy.close());
  const script = `
    import { download } from ${JSON.stringify(import.meta.resolve("../../lib/datasets/download.js"))};
    await download("http://data.invalid/set", ${JSON.stringify(path)}, ${JSON.stringify(md5)});
  `;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    env: {
      ...process.env,
      http_proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      no_proxy: "",
    },
    stdio: "inherit",
  });
  assert.deepEqual(await once(child, "exit"), [0, null]);
  assert.deepEqual(await readFile(path), content);
  assert.deepEqual(asked, ["data.invalid:80"]);
});
