import { mkdtempSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext } from "node:test";

/** A temporary folder that goes away with the test. */
export async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "test-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A temporary folder for all tests of a file, which goes away with the last of them. */
export function folderOfTests(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
