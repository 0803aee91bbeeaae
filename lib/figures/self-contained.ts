/** What a page may do that the project writes or draws with: nothing leaves it, and nothing comes in. */
export const NOTHING_OUTSIDE = policy(["style-src 'unsafe-inline'", "font-src data:", "img-src data: blob:"]);
/** The same for a page with a script of its own inside. */
export const OWN_SCRIPT_ALONE = policy([
  "style-src 'unsafe-inline'",
  "font-src data:",
  "img-src data: blob:",
  "script-src 'unsafe-inline'",
]);

function policy(allowed: readonly string[]): string {
  const content = ["default-src 'none'", ...allowed].join("; ");
  return `<meta http-equiv="Content-Security-Policy" content="${content}">`;
}

const TAG = /<[a-z!?/][^>]*>/gi;
const STYLE = /<style[^>]*>([^<]*)</gi;
/** Elements that load, run or embed. */
const ACTIVE =
  /^<(?:script|iframe|object|embed|link|base|meta|audio|video|foreignobject|!entity|!doctype)\b/i;
const ADDRESS = /\s(?:(?:xlink:)?href|src|srcset|action|data)\s*=\s*(?:"([^"]*)"|'([^']*)')/gi;
const EVENT = /\son\w+\s*=/i;
const OUTSIDE_IN_STYLE = /@import|url\(\s*(?:&quot;|["'])?\s*(?!#|data:|&quot;|["'\s])/i;

/** The first part of an SVG text that leads outside of it, or does more than show; undefined where there is none. */
export function outsideReference(svg: string): string | undefined {
  const tag = [...svg.matchAll(TAG)].map(([text]) => text).find(leadsOutside);
  if (tag !== undefined) return tag.slice(0, 120);
  return [...svg.matchAll(STYLE)].map(([, css = ""]) => OUTSIDE_IN_STYLE.exec(css)?.[0]).find(Boolean);
}

function leadsOutside(tag: string): boolean {
  if (ACTIVE.test(tag) || EVENT.test(tag) || OUTSIDE_IN_STYLE.test(tag)) return true;
  const addresses = [...tag.matchAll(ADDRESS)].map(([, double, single]) => (double ?? single ?? "").trim());
  return addresses.some((address) => !address.startsWith("#") && !address.startsWith("data:image/"));
}
