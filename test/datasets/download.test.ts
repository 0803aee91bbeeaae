import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { download } from "../../lib/datasets/download.js";
import { temporaryFolder } from "./fixtures.js";

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
    response.writeHead(from > 0 ? 206 : 200, { "content-length": content.length - from });
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
  await download(url, path, md5, quiet);
  assert.equal(asked.length, 2, "what is there is not fetched again");
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
  assert.ok(!existsSync(path) && !existsSync(`${path}.part`));
});
