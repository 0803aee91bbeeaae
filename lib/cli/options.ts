import { InvalidArgumentError } from "commander";

/** Reads an option's value as a whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < least) {
      throw new InvalidArgumentError(`it must be a whole number of at least ${least}.`);
    }
    return value;
  };
}

/** Reads an option's value as seeds: whole numbers of at least 0, separated by commas, each once. */
export function seedList(text: string): number[] {
  const seeds = text.split(",").map(wholeNumber(0));
  const twice = seeds.find((seed, i) => seeds.indexOf(seed) !== i);
  if (twice !== undefined) throw new InvalidArgumentError(`it names ${twice} twice.`);
  return seeds;
}

/** Reads an option's value as names separated by commas. */
export function words(text: string): string[] {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length === 0) throw new InvalidArgumentError("it must be one name or more, separated by commas.");
  return names;
}

/** Reads an option's value as a number from `least` to `most`. */
export function numberBetween(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= least && value <= most)) {
      throw new InvalidArgumentError(`it must be a number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** Reads an option's value as a number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("it must be a number above 0.");
  return value;
}

/** Collects the values of an option that may be given more than once. */
export const repeated = (text: string, before: readonly string[]): readonly string[] => [...before, text];
