/** JupyterLab as a person uses it: by what is on the screen. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Browser, launch, type Page } from "puppeteer-core";
import { closeBrowser, withBrowser } from "../../lib/figures/browser.js";
import { unpackChromium } from "../../lib/figures/chromium-package.js";

const project = join(import.meta.dirname, "../..");

export interface Lab {
  readonly address: URL;
  stop(): Promise<void>;
}

/** Starts the lab as `npm run lab` does, with a folder for what it remembers of its windows, and gives its address. */
export async function startLab(workspaces: string): Promise<Lab> {
  const args = ["lib/setup/lab.mjs", "--no-browser", `--LabApp.workspaces_dir=${workspaces}`];
  const server: ChildProcess = spawn(process.execPath, args, {
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

/** What somebody sees who reads a notebook from its first cell to its last. */
export interface Reading {
  readonly figures: number;
  readonly missing: number;
  /** Trace explorers, and the still pictures that stand in their place. */
  readonly explorers: number;
  readonly stills: number;
  readonly errors: readonly string[];
  /** Pictures that were not found, by what stands in their place. */
  readonly broken: readonly string[];
  /** What is wider than its column, by its text and pixels. */
  readonly wide: readonly string[];
}

/** What of a notebook scrolls. */
const NOTEBOOK = ".jp-NotebookPanel .jp-WindowedPanel-outer";
/** Runs in the page: goes on by a screen, less a line; true at the end of the notebook. */
const NEXT_SCREEN = `(() => {
  const notebook = document.querySelector("${NOTEBOOK}");
  const before = notebook.scrollTop;
  notebook.scrollBy(0, notebook.clientHeight - 20);
  return notebook.scrollTop < before + 1;
})()`;

/** Runs in the page. A cell far from the screen may not be laid out, so each is looked at where it is in sight. */
const READ_THROUGH = `(async () => {
  const reading = { figures: 0, missing: 0, explorers: 0, stills: 0, errors: [], broken: [], wide: [] };
  const frame = () => new Promise((resolve) => setTimeout(resolve, 30));
  const isDrawn = (plot) => plot.querySelector(".main-svg")?.getBoundingClientRect().width > 0;
  for (const cell of document.querySelectorAll(".jp-Cell")) {
    cell.scrollIntoView({ block: "start" });
    await frame();
    const plots = [...cell.querySelectorAll(".jp-RenderedPlotly")].filter((plot) => plot.offsetWidth > 0);
    for (let wait = 0; wait < 300 && !plots.every(isDrawn); wait++) await frame();
    reading.figures += plots.filter(isDrawn).length;
    reading.missing += plots.filter((plot) => !isDrawn(plot)).length;
    for (const error of cell.querySelectorAll('[data-mime-type="application/vnd.jupyter.error"]'))
      reading.errors.push(error.textContent);
    const explorers = cell.querySelectorAll("iframe[title='Trace explorer']").length;
    reading.explorers += explorers;
    for (const picture of cell.querySelectorAll("img[alt^='Images by stopping time']"))
      reading.stills += explorers === 0 && picture.offsetWidth > 0 ? 1 : 0;
    for (const picture of cell.querySelectorAll("img"))
      if (picture.offsetWidth > 0 && picture.complete && picture.naturalWidth === 0) reading.broken.push(picture.alt);
    // In a narrow column lines of code may scroll, and tables of many columns.
    const isNarrow = innerWidth < 1500;
    const code = isNarrow ? [] : [".cm-scroller"];
    const mayScroll = (box) => isNarrow && box.querySelectorAll("thead th").length > 8;
    const boxes = cell.querySelectorAll([...code, ".jp-OutputArea-output", ".jp-OutputArea-output div", ".jp-MarkdownOutput"].join());
    for (const box of boxes)
      if (!mayScroll(box) && !box.closest(".js-plotly-plot .plot-container") && box.scrollWidth > box.clientWidth + 8 && box.clientWidth > 0)
        reading.wide.push((box.scrollWidth - box.clientWidth) + " px: " + box.textContent.trim().slice(0, 80));
  }
  return reading;
})()`;

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
    url.pathname = `/lab/workspaces/${randomUUID()}/tree/${notebook}`;
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

  async press(tool: "interrupt" | "restart"): Promise<void> {
    await this.page.click(`.jp-NotebookPanel-toolbar [data-jp-item-name="${tool}"] jp-button`);
  }

  /** Saves the notebook, and waits until that is done. */
  async save(): Promise<void> {
    await this.choose("File", "Save Notebook");
    await this.until(
      `document.querySelector(".jp-Dialog") !== null || (document.querySelector(".jp-NotebookPanel") !== null && document.querySelector(".jp-mod-dirty") === null)`,
    );
    await sleep(500);
    const asked = await this.text(".jp-Dialog-content");
    if (asked !== "") throw new Error(`the lab asks: ${asked}`);
  }

  async confirm(): Promise<void> {
    await this.see(".jp-Dialog .jp-mod-accept");
    await this.page.click(".jp-Dialog .jp-mod-accept");
  }

  /** Writes a cell's code anew. */
  async rewrite(cell: number, code: string): Promise<void> {
    await this.edit(cell);
    await this.pressWith("Control", "KeyA");
    await this.page.keyboard.press("Backspace");
    await this.page.keyboard.type(code);
  }

  async runCell(cell: number): Promise<void> {
    await this.edit(cell);
    await this.pressWith("Control", "Enter");
  }

  /** Puts the cursor into a cell. */
  private async edit(cell: number): Promise<void> {
    const editors = await this.page.$$(".jp-CodeCell .cm-content");
    await editors[cell]?.click();
  }

  private async pressWith(held: "Control" | "Shift", key: "KeyA" | "Enter" | "End" | "Tab"): Promise<void> {
    await this.page.keyboard.down(held);
    await this.page.keyboard.press(key);
    await this.page.keyboard.up(held);
  }

  /** What is said of the name at the end of a cell (Shift and Tab), and after how many milliseconds. */
  async explanation(cell: number): Promise<{ readonly text: string; readonly milliseconds: number }> {
    await this.edit(cell);
    await this.pressWith("Control", "End");
    const asked = performance.now();
    await this.pressWith("Shift", "Tab");
    await this.see(".jp-Tooltip .jp-Tooltip-content *", 20);
    const milliseconds = performance.now() - asked;
    const text = await this.text(".jp-Tooltip");
    await this.page.keyboard.press("Escape");
    return { text, milliseconds };
  }

  /** What the code at the end of a cell could go on with (Tab), and after how many milliseconds that is there. */
  async completions(cell: number): Promise<{ readonly text: string; readonly milliseconds: number }> {
    await this.edit(cell);
    await this.pressWith("Control", "End");
    const asked = performance.now();
    await this.page.keyboard.press("Tab");
    await this.see(".jp-Completer .jp-Completer-match", 20);
    const milliseconds = performance.now() - asked;
    const text = await this.text(".jp-Completer .jp-Completer-match");
    await this.page.keyboard.press("Escape");
    return { text, milliseconds };
  }

  /**
   * Goes through the notebook as a reader does, from cell to cell: how many figures are drawn and how many are not,
   * how many errors are shown, and what does not fit into the column.
   */
  async readThrough(): Promise<Reading> {
    return this.page.evaluate<[], () => Promise<Reading>>(READ_THROUGH);
  }

  /** Keeps pictures of the whole notebook, one a screen of twice the usual height: path-1.png and so on. */
  async pictures(path: string): Promise<void> {
    const { width = 1500, height = 1000 } = this.page.viewport() ?? {};
    await this.page.setViewport({ width, height: 2 * height });
    await this.page.evaluate(`document.querySelector("${NOTEBOOK}").scrollTo(0, 0)`);
    for (let screen = 1, isLast = false; !isLast; screen++) {
      await sleep(1000); // what comes into sight is laid out and drawn
      await this.page.screenshot({ path: `${path}-${screen}.png` });
      isLast = Boolean(await this.page.evaluate(NEXT_SCREEN));
    }
    await this.page.setViewport({ width, height });
  }

  /** Whether the lab trusts the notebook, as its status bar says. */
  async isTrusted(): Promise<boolean> {
    return (await this.count('.jp-StatusItem-trust[title^="Notebook trusted"]')) === 1;
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
