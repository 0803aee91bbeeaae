/** JupyterLab as a person uses it: by what is on the screen. */
import { type ChildProcess, spawn } from "node:child_process";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Browser, launch, type Page } from "puppeteer-core";
import { closeBrowser, withBrowser } from "../../lib/figures/browser.js";
import { unpackChromium } from "../../lib/figures/chromium-package.js";

const project = join(import.meta.dirname, "../..");

export interface Lab {
  readonly address: URL;
  stop(): Promise<void>;
}

/** Starts the lab as `npm run lab` does, and gives its address. */
export async function startLab(): Promise<Lab> {
  const server: ChildProcess = spawn(process.execPath, ["lib/setup/lab.mjs", "--no-browser"], {
    cwd: project,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = new Promise<void>((resolve) =>
    server.once("close", () => {
      resolve();
    }),
  );
  let said = "";
  const address = await new Promise<URL>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      said += chunk.toString();
      const [found] = /http:\/\/127\.0\.0\.1:\d+\/lab\S*token=\w+/.exec(said) ?? [];
      if (found !== undefined) resolve(new URL(found));
    };
    server.stdout?.on("data", read);
    server.stderr?.on("data", read);
    void closed.then(() => {
      reject(new Error(`the lab ended: ${said.slice(-2000)}`));
    });
  });
  const stop = async (): Promise<void> => {
    server.kill("SIGTERM");
    const killer = setTimeout(() => server.kill("SIGKILL"), 10_000);
    await closed;
    clearTimeout(killer);
  };
  return { address, stop };
}

/** The browser that draws figures, started so that it reaches this machine's server: figures' own reaches nothing. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = await withBrowser((browser) => Promise.resolve(browser.process()?.spawnfile ?? ""));
  await closeBrowser();
  const { libraries } = await unpackChromium();
  const env = {
    ...process.env,
    LD_LIBRARY_PATH: [process.env["LD_LIBRARY_PATH"], libraries].filter(Boolean).join(":"),
  };
  const args = ["--disable-gpu", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])];
  return launch({ executablePath, env, headless: "shell", args });
}

/** One notebook on the screen. */
export class LabPage {
  constructor(
    readonly page: Page,
    private readonly lab: Lab,
  ) {}

  /** Opens a notebook, a path from the project's folder, and waits until its kernel is there. */
  async open(notebook: string): Promise<void> {
    const url = new URL(this.lab.address);
    // A workspace of its own: else what was open before is opened beside it.
    url.pathname = `/lab/workspaces/${basename(notebook, ".ipynb")}/tree/${notebook}`;
    await this.page.goto(url.href, { waitUntil: "domcontentloaded" });
    await this.see(".jp-NotebookPanel .jp-Cell");
    // The sign beside the kernel's name is that of an idle kernel before there is one.
    await this.until(
      `[...document.querySelectorAll(".jp-StatusBar-TextItem")].some((item) => /cascade\\) \\| Idle/.test(item.textContent))`,
    );
    await sleep(1000);
  }

  async see(selector: string, seconds = 120): Promise<void> {
    await this.page.waitForSelector(selector, { timeout: 1000 * seconds });
  }

  /** Waits until a piece of JavaScript is true in the page. */
  async until(what: string, seconds = 120): Promise<void> {
    await this.page.waitForFunction(what, { timeout: 1000 * seconds, polling: 200 });
  }

  async idle(seconds = 120): Promise<void> {
    await this.see('.jp-Notebook-ExecutionIndicator[data-status="idle"]', seconds);
  }

  async busy(): Promise<void> {
    await this.see('.jp-Notebook-ExecutionIndicator[data-status="busy"]', 20);
  }

  async choose(menu: string, entry: string): Promise<void> {
    await this.clickText(".lm-MenuBar-itemLabel", menu);
    await this.see(".lm-Menu .lm-Menu-itemLabel");
    await this.clickText(".lm-Menu .lm-Menu-itemLabel", entry);
  }

  /** Runs all cells, and waits for the end of the last. */
  async runAll(seconds = 120): Promise<void> {
    await this.choose("Run", "Run All Cells");
    await sleep(500);
    await this.until(
      `![...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")].some((prompt) => prompt.textContent.includes("*"))`,
      seconds,
    );
    await this.idle(seconds);
  }

  async press(tool: "interrupt" | "restart" | "save"): Promise<void> {
    await this.page.click(`.jp-NotebookPanel-toolbar [data-jp-item-name="${tool}"] jp-button`);
  }

  async confirm(): Promise<void> {
    await this.see(".jp-Dialog .jp-mod-accept");
    await this.page.click(".jp-Dialog .jp-mod-accept");
  }

  /** Writes a cell's code anew. */
  async rewrite(cell: number, code: string): Promise<void> {
    const editors = await this.page.$$(".jp-CodeCell .cm-content");
    await editors[cell]?.click();
    await this.page.keyboard.down("Control");
    await this.page.keyboard.press("KeyA");
    await this.page.keyboard.up("Control");
    await this.page.keyboard.type(code);
  }

  async runCell(cell: number): Promise<void> {
    const editors = await this.page.$$(".jp-CodeCell .cm-content");
    await editors[cell]?.click();
    await this.page.keyboard.down("Control");
    await this.page.keyboard.press("Enter");
    await this.page.keyboard.up("Control");
  }

  async text(selector: string): Promise<string> {
    return String(
      await this.page.evaluate(
        `[...document.querySelectorAll(${JSON.stringify(selector)})].map((element) => element.textContent).join("\\n")`,
      ),
    );
  }

  async count(selector: string): Promise<number> {
    return (await this.page.$$(selector)).length;
  }

  private async clickText(selector: string, text: string): Promise<void> {
    await this.see(selector);
    for (const element of await this.page.$$(selector)) {
      const found = await element.evaluate((node: { readonly textContent: string }) => node.textContent);
      if (found.trim() !== text) continue;
      await element.click();
      return;
    }
    throw new Error(`there is no "${text}" on the screen`);
  }
}
