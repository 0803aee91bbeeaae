/** What a text says as JSON where it is JSON, else the text itself: a value as it is typed on a command line. */
export function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
