import { UserError } from "../util/errors.js";
import { showTable } from "./show-table.js";

/** A number that was worked out by hand, and the same from the library. */
export interface Check {
  readonly quantity: string;
  readonly byHand: number;
  readonly library: number;
}

/** How far both may differ, of numbers above 1 as a share: rounding in double precision. */
const TOLERANCE = 1e-9;

/** Shows numbers that were worked out by hand beside the library's. Throws a UserError where they are not the same. */
export function showChecks(checks: readonly Check[]): void {
  showTable(
    checks.map((check) => ({
      quantity: check.quantity,
      "by hand": shown(check.byHand),
      library: shown(check.library),
      same: isSame(check) ? "yes" : "no",
    })),
  );
  assertSame(checks);
}

/** Quantities of one table may be of any size. */
const shown = (value: number): string => String(Number(value.toPrecision(6)));

/** Throws a UserError that names the first number that is not the library's; NaN is only NaN. */
export function assertSame(checks: readonly Check[]): void {
  const wrong = checks.find((check) => !isSame(check));
  if (wrong === undefined) return;
  const { quantity, byHand, library } = wrong;
  throw new UserError(`${quantity}: ${byHand} by hand, ${library} from the library`);
}

const isSame = ({ byHand, library }: Check): boolean =>
  Object.is(byHand, library) || Math.abs(byHand - library) <= TOLERANCE * Math.max(1, Math.abs(library));
