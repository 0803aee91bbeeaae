import { describeBackend } from "../../lib/nn/backend/kernel-level.js";
import { everyCombination, otherNetworks } from "./oracle-cases.js";
import { oracleErrors } from "./oracle-comparison.js";

/** Prints the errors against the oracle of the cases whose numbers are its arguments, by the backend it finds. */
const cases = [...everyCombination, ...otherNetworks];
const results = process.argv.slice(2).map((number) => {
  const given = cases[Number(number)];
  if (given === undefined) throw new RangeError(`there is no case ${number}`);
  return { name: given.name, errors: oracleErrors(given) };
});
process.stdout.write(JSON.stringify({ backend: describeBackend(), results }));
