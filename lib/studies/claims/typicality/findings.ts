import { type Draft, finding, type Statement } from "../../evidence/finding.js";
import { isAbove, isBelow, type Rule } from "../../evidence/rules.js";
import { classLabels, ofClass, rhoOf, type TypicalityArms } from "./runs.js";
import { MAIN_THRESHOLD, type Relation, THRESHOLDS } from "./typicality-of-trace.js";
import { CASCADED_TD } from "../../evidence/model-names.js";

/**
 * End points are the paper's on images with a C-score: latency and correctness at the main threshold. What is constructed
 * shows that the method works, and carries nothing.
 */
export function findingsOf(kind: TypicalityArms): Draft[] {
  const { images, arms } = kind;
  const isReal = images === "data set";
  const where = `${CASCADED_TD}, ${isReal ? "held-out images" : "images of constructed typicality"}`;
  const paper: Pick<Statement, "by" | "carries"> = isReal
    ? { by: "paper", carries: true }
    : { by: "project" };
  const related = (
    what: string,
    relation: Relation,
    rule: Rule,
    claimed: Pick<Statement, "by" | "carries"> = { by: "project" },
    threshold: number = MAIN_THRESHOLD,
  ): Draft =>
    finding(
      { statement: `${where}: ${what} (rank correlation, confidence ${threshold})`, ...claimed },
      rule,
      arms.own(CASCADED_TD, [rhoOf(relation, threshold)]),
    );
  const falls = "latency falls with typicality";
  const others = isReal ? THRESHOLDS.filter((threshold) => threshold !== MAIN_THRESHOLD) : [];
  return [
    related(falls, "latency", isBelow(0), paper),
    related("correctness rises with typicality", "correctness", isAbove(0), paper),
    ...others.map((threshold) => related(falls, "latency", isBelow(0), { by: "project" }, threshold)),
    related(`${falls} among rightly answered images alone`, "latency of right answers", isBelow(0)),
    related(`${falls} among the least typical fifth alone`, "latency of the least typical fifth", isBelow(0)),
    finding(
      {
        statement: `${where}: ${falls} within every class (rank correlation, confidence ${MAIN_THRESHOLD})`,
        by: isReal ? "paper" : "project",
      },
      isBelow(0),
      classLabels(kind).flatMap((label) => {
        const quantity = { ...ofClass(label, "rho"), name: `class ${label}` };
        return arms.own(CASCADED_TD, [quantity]);
      }),
    ),
  ];
}
