import { areaUnderAccuracy } from "../../../trace/area.js";
import { mean } from "../../../util/statistics.js";
import type { AnytimeModel } from "../../evidence/anytime-models.js";
import { differenceAndError } from "../../evidence/format.js";
import { type Quantity, share } from "../../evidence/quantities.js";
import { quantityCells } from "../../evidence/tables.js";
import type { StudyResult, TableRow } from "../../study.js";
import { armOf, EARLY_STEP, MODELS, type Sweep } from "./sweep.js";

const BELIEFS: readonly Quantity<AnytimeModel>[] = [
  nats("cross-entropy, t = 1", ({ crossEntropy }) => crossEntropy[1]),
  nats(`t = ${EARLY_STEP}`, ({ crossEntropy }) => crossEntropy[EARLY_STEP]),
  nats("last", ({ crossEntropy }) => crossEntropy.at(-1)),
  share("confidence, t = 1", ({ confidence }) => confidence[1] ?? NaN),
  share("confidence, last", ({ confidence }) => confidence.at(-1) ?? NaN),
  share("calibration error, t = 1", ({ calibrationError }) => calibrationError[1] ?? NaN),
  share("calibration error, last", ({ calibrationError }) => calibrationError.at(-1) ?? NaN),
  share("destructive", ({ overthinking }) => overthinking.destructive),
];

function nats(name: string, of: (model: AnytimeModel) => number | undefined): Quantity<AnytimeModel> {
  const unit = { difference: " nats", digits: 2 };
  return { name, unit, of: (model) => of(model) ?? NaN };
}

export function tablesOf(sweep: Sweep): StudyResult["tables"] {
  const { quantities } = sweep;
  return [
    {
      name: "accuracy",
      title:
        "Accuracy in %, mean ± standard error over n seeds; area over time by trapezoids, area under the speed-accuracy curve over the range of mean stopping times, in timesteps, that all share",
      rows: armRows(sweep, quantities),
    },
    {
      name: "best-lambda",
      title:
        "The lambda with the highest mean, and the lambda with the highest value in each seed: where seeds disagree, the winner is not decided",
      rows: MODELS.flatMap(({ model, paper }) =>
        quantities.map((quantity) => ({ ...bestRow(sweep, model, quantity), "paper's figure": paper })),
      ),
    },
    {
      name: "against-cross-entropy",
      title:
        "Paired difference to lambda = 1 (cross-entropy at every step) in points, mean ± standard error over n seeds",
      rows: MODELS.flatMap(({ model }) =>
        quantities.map((quantity) => differenceRow(sweep, model, quantity)),
      ),
    },
    {
      name: "beliefs",
      title:
        "How good the beliefs are: cross-entropy of the label in nats, mean confidence and expected calibration error in %, early and late; destructive: right at some earlier step and wrong at the last, in %",
      rows: armRows(sweep, BELIEFS),
    },
    { name: "runs", title: "Every run: accuracy at each timestep", rows: sweep.runs.map(runRow) },
  ];
}

function armRows({ lambdas, arms }: Sweep, quantities: readonly Quantity<AnytimeModel>[]): TableRow[] {
  return MODELS.flatMap(({ model }) =>
    lambdas.map((lambda) => ({
      model,
      lambda,
      ...quantityCells(arms, armOf(model, lambda), quantities),
      n: arms.seeds.length,
    })),
  );
}

function bestRow({ lambdas, arms }: Sweep, model: string, quantity: Quantity<AnytimeModel>): TableRow {
  const values = lambdas.map((lambda) => ({ lambda, bySeed: arms.bySeed(armOf(model, lambda), quantity) }));
  const highest = (of: (bySeed: readonly number[]) => number): number =>
    values.reduce((most, one) => (of(one.bySeed) > of(most.bySeed) ? one : most)).lambda;
  return {
    model,
    quantity: quantity.name,
    "highest mean": highest(mean),
    "highest by seed": arms.seeds.map((_, i) => highest((bySeed) => bySeed[i] as number)).join(", "),
  };
}

function differenceRow({ lambdas, arms }: Sweep, model: string, quantity: Quantity<AnytimeModel>): TableRow {
  const differences = lambdas
    .filter((lambda) => lambda !== 1)
    .map((lambda) => {
      const lead = arms.lead(armOf(model, lambda), armOf(model, 1), quantity);
      return [`λ = ${lambda}`, differenceAndError(lead)] as const;
    });
  return { model, quantity: quantity.name, ...Object.fromEntries(differences), n: arms.seeds.length };
}

function runRow(one: AnytimeModel): TableRow {
  return {
    model: one.model,
    lambda: one.spec.loss.lambda,
    seed: one.seed,
    run: one.run,
    area: areaUnderAccuracy(one.accuracy),
    ...Object.fromEntries(one.accuracy.map((accuracy, t) => [`t = ${t}`, accuracy])),
  };
}
