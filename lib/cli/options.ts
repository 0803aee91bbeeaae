import { InvalidArgumentError } from "commander";

/** Reads an option's value as a whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least) {
      throw new InvalidArgumentError(`it must be a whole number of at least ${least}.`);
    }
    return value;
  };
}

/** Reads an option's value as whole numbers of at least 0, separated by commas. */
export function wholeNumbers(text: string): number[] {
  return text.split(",").map(wholeNumber(0));
}
