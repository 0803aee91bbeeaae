/**
 * What a terminal or a page obeys instead of showing it: control characters, marks of direction, separators of lines,
 * invisible ones. Not the joiners of letters (U+200C, U+200D), which scripts need.
 */
const OBEYED =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** Text of others, on one line: what would be obeyed is shown by its number, as in \u001b. */
export function visibleText(text: string): string {
  return text.replace(OBEYED, shown);
}

/** The same where line breaks and tabs are the project's own. */
export function visibleLines(text: string): string {
  return text.replace(OBEYED, (character) => (/[\n\t]/.test(character) ? character : shown(character)));
}

function shown(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
