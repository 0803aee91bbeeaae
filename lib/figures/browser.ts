import { spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { Socket } from "node:net";
import { delimiter, join, resolve } from "node:path";
import { launch, type Browser } from "puppeteer-core";
import { UserError } from "../util/errors.js";
import { ownFolder } from "../util/own-temporary.js";
import { unpackChromium } from "./chromium-package.js";

/** A program that can draw figures. */
interface BrowserProgram {
  readonly path: string;
  readonly version: string;
  readonly origin: string;
  readonly env: NodeJS.ProcessEnv;
}

const SYSTEM_PROGRAMS = [
  "google-chrome-stable",
  "google-chrome",
  "chromium",
  "chromium-browser",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Nothing leaves the machine, and text is laid out alike on every screen. */
const FLAGS = [
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-domain-reliability",
  "--no-default-browser-check",
  "--no-pings",
  // Whatever a page asks for, WebSockets among it, is asked of a proxy that is not there.
  "--proxy-server=socks5://0.0.0.0:9",
  "--proxy-bypass-list=<-loopback>",
  "--host-resolver-rules=MAP * ~NOTFOUND",
  "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
  "--font-render-hinting=none",
  "--force-device-scale-factor=1",
  "--force-color-profile=srgb",
];

/** Chromium's sandbox refuses to work for root; elsewhere it stays on unless the environment says otherwise. */
const needsNoSandbox = (): boolean => process.getuid?.() === 0 || process.env["CHROME_NO_SANDBOX"] === "1";

/** The file that a program's name stands for, as the shell finds it; launching takes nothing less. */
function programFile(name: string): string | undefined {
  const candidates = name.includes("/")
    ? [resolve(name)]
    : (process.env["PATH"] ?? "").split(delimiter).map((folder) => resolve(folder, name));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    } catch {
      return false;
    }
  });
}

function versionOf(path: string, env: NodeJS.ProcessEnv): string | undefined {
  const answer = spawnSync(path, ["--version"], { encoding: "utf8", env, timeout: 20_000 });
  return answer.status === 0 ? answer.stdout.trim() : undefined;
}

/** $CHROME_PATH, else the system's Chromes and Chromiums, then the one that comes as an npm package. */
async function* browserPrograms(): AsyncGenerator<BrowserProgram> {
  const chosen = process.env["CHROME_PATH"];
  for (const name of chosen === undefined ? SYSTEM_PROGRAMS : [chosen]) {
    const path = programFile(name);
    const version = path === undefined ? undefined : versionOf(path, process.env);
    if (path !== undefined && version !== undefined)
      yield { path, version, origin: "of the system", env: process.env };
    else if (chosen !== undefined)
      throw new UserError(`CHROME_PATH names ${chosen}, which is no Chrome or Chromium that starts`);
  }
  if (chosen !== undefined) return;
  const { program, libraries } = await unpackChromium();
  const searched = [process.env["LD_LIBRARY_PATH"], libraries].filter((path) => path !== undefined).join(":");
  for (const env of [process.env, { ...process.env, LD_LIBRARY_PATH: searched }]) {
    const version = versionOf(program, env);
    if (version !== undefined) yield { path: program, version, origin: "of the npm package", env };
  }
}

interface StartedBrowser {
  readonly browser: Browser;
  readonly origin: string;
}

let shared: Promise<StartedBrowser> | undefined;
let users = 0;

/**
 * Runs `work` with the one headless browser of this process, starting it if it is not running. Between uses the
 * browser does not keep the process alive; it ends with the process, however that ends, as its pipe closes.
 */
export async function withBrowser<Result>(work: (browser: Browser) => Promise<Result>): Promise<Result> {
  const { browser } = await (shared ??= startBrowser());
  users++;
  keepAlive(browser, true);
  try {
    return await work(browser);
  } finally {
    users--;
    if (users === 0) keepAlive(browser, false);
  }
}

/** Ends the browser; the next use starts another one. */
export async function closeBrowser(): Promise<void> {
  const started = await shared?.catch(() => undefined);
  shared = undefined;
  if (started === undefined) return;
  const { browser } = started;
  keepAlive(browser, true);
  await browser.close();
}

/** Starts the first browser that does start: the system's may be a wrapper for one that is not there. */
async function startBrowser(): Promise<StartedBrowser> {
  const reasons: string[] = [];
  try {
    for await (const program of browserPrograms()) {
      try {
        return { browser: await launchProgram(program), origin: program.origin };
      } catch (error) {
        const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
        reasons.push(`${program.path}: ${reason}`);
      }
    }
  } catch (error) {
    shared = undefined;
    throw error;
  }
  shared = undefined;
  throw new UserError(
    reasons.length === 0
      ? "no browser to draw figures with: install Chromium or Google Chrome, or set CHROME_PATH to one (the one of the npm package does not start on this machine)"
      : `the browser that draws figures does not start (${reasons.join("; ")}); set CHROME_PATH to another one, or CHROME_NO_SANDBOX=1 where its sandbox is forbidden`,
  );
}

async function launchProgram({ path, env }: BrowserProgram): Promise<Browser> {
  const folder = await ownFolder("browser");
  try {
    const browser = await launch({
      executablePath: path,
      env: { ...env, TMPDIR: folder.path },
      userDataDir: join(folder.path, "profile"),
      pipe: true,
      headless: "shell",
      handleSIGINT: false,
      args: [...FLAGS, ...(needsNoSandbox() ? ["--no-sandbox"] : [])],
    });
    browser.process()?.once("exit", folder.remove);
    browser.once("disconnected", () => {
      shared = undefined;
    });
    return browser;
  } catch (error) {
    folder.remove();
    throw error;
  }
}

function keepAlive(browser: Browser, alive: boolean): void {
  const child = browser.process();
  if (child === null) return;
  const handles = [child, ...child.stdio.filter((stream): stream is Socket => stream instanceof Socket)];
  for (const handle of handles) {
    if (alive) handle.ref();
    else handle.unref();
  }
}

/** Version and origin of the browser, after a real start. Throws a UserError where there is none. */
export async function describeBrowser(): Promise<string> {
  const version = await withBrowser((browser) => browser.version());
  const origin = (await shared)?.origin ?? "";
  await closeBrowser();
  return `${version} ${origin}`;
}
