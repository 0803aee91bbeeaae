/** Starts the browser that the figures are drawn with and prints its version and where it comes from. */
/** @type {unknown} */
const loaded = await import(new URL("../dist/figures/browser.js", import.meta.url).href);
const browser = /** @type {{ describeBrowser(): Promise<string> }} */ (loaded);
console.log(await browser.describeBrowser());
