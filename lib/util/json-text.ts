/** Lists and objects within each other; nothing that is read here is half as deep. */
const DEEPEST = 100;

/** What every number has that is too large for a float64: a long exponent, or hundreds of digits. */
const LARGE_NUMBER = /[eE]\+?\d{3}|\d{300}/;

/**
 * What a text says as JSON. Throws a SyntaxError where it is no JSON, nested so deep that what walks through it would run
 * out of stack, or has a number that is too large for a float64 and would come back as infinite.
 */
export function parseJson(text: string, reviver?: (key: string, value: unknown) => unknown): unknown {
  if (depthOf(text) > DEEPEST) throw new SyntaxError(`it is nested more than ${DEEPEST} deep`);
  if (LARGE_NUMBER.test(text)) JSON.parse(text, assertFinite);
  return JSON.parse(text, reviver);
}

function assertFinite(key: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value))
    throw new SyntaxError(`the number "${key}" is too large`);
  return value;
}

/** What a text says as JSON where it is JSON, else the text itself: a value as it is typed on a command line. */
export function jsonOrText(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

/** How many brackets are open at once, outside of strings; stops counting where that is too many. */
function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < json.length && deepest <= DEEPEST; i++) {
    const character = json[i];
    if (inString && character === "\\") i++;
    else if (character === '"') inString = !inString;
    else if (inString) continue;
    else if (character === "[" || character === "{") deepest = Math.max(deepest, ++depth);
    else if (character === "]" || character === "}") depth--;
  }
  return deepest;
}
