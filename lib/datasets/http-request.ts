import { EnvHttpProxyAgent, fetch, type Response } from "undici";
import { UserError } from "../util/errors.js";

/** An answer that asks to be asked again later. */
export class BusyServer extends Error {
  constructor(
    status: number,
    /** What the server wants to be waited, if it says so. */
    readonly waitMs: number | undefined,
  ) {
    super(`the server is busy (it answers ${status})`);
  }
}

const MOST_REDIRECTS = 5;
const BUSY = [429, 502, 503, 504];
/** Sees to $HTTP_PROXY, $HTTPS_PROXY and $NO_PROXY, in upper or lower case. */
let proxies: EnvHttpProxyAgent | undefined;

/**
 * The answer to a GET of `url` from byte `from` on, after redirects. Throws a UserError where asking again is of no use,
 * a BusyServer where it is later.
 */
export async function request(url: string, from: number, signal: AbortSignal): Promise<Response> {
  let address = new URL(url);
  // What counts are the bytes of the file itself: no compression on the way.
  const headers = { "accept-encoding": "identity", ...(from > 0 && { range: `bytes=${from}-` }) };
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    proxies ??= new EnvHttpProxyAgent();
    const response = await fetch(address, { headers, redirect: "manual", signal, dispatcher: proxies });
    const next = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || next === null) return checked(response, url);
    await response.body?.cancel();
    address = redirected(address, next, url);
  }
  throw new UserError(
    `cannot download ${url}: it is redirected more than ${MOST_REDIRECTS} times; give a local file`,
  );
}

function redirected(from: URL, to: string, url: string): URL {
  const next = URL.canParse(to, from.href) ? new URL(to, from) : undefined;
  const isSafe = next?.protocol === "https:" || (next?.protocol === "http:" && from.protocol === "http:");
  if (next === undefined || !isSafe)
    throw new UserError(
      `cannot download ${url}: it is redirected to ${JSON.stringify(to.slice(0, 100))}; give a local file`,
    );
  return next;
}

async function checked(response: Response, url: string): Promise<Response> {
  const { status, statusText } = response;
  // 416: the server has nothing beyond what was asked for.
  if (response.ok || status === 416) return response;
  await response.body?.cancel();
  if (BUSY.includes(status)) throw new BusyServer(status, waitOf(response.headers.get("retry-after")));
  throw new UserError(`cannot download ${url}: the server answers ${status} ${statusText}`);
}

/** Retry-After, in seconds or as a date. */
function waitOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text) ? 1000 * Number(text) : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
