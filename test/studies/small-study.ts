import { runSummary } from "../../lib/experiments/runs/run-summary.js";
import type { PlotlyFigure } from "../../lib/figures/figure.js";
import {
  type Fallbacks,
  type ProtocolStudy,
  withSettings,
} from "../../lib/studies/replication/protocol-study.js";
import type { Protocol } from "../../lib/studies/replication/protocols.js";
import type { NamedSource } from "../../lib/studies/replication/replication.js";
import type { Study, StudySettings } from "../../lib/studies/study.js";
import { counted, decided, type Statement } from "../../lib/studies/evidence/finding.js";
import { seriesRows, wholeRun } from "../../lib/studies/evidence/numbers.js";
import { mean } from "../../lib/util/statistics.js";
import { TINY_DATA, tinyRunSpec } from "../experiments/tiny-run.js";
import { changedSpec, combined, type SpecChange } from "../../lib/experiments/specs/spec-change.js";

export const SMALL_DATA: NamedSource = {
  name: "procedural",
  source: TINY_DATA,
};

export const SMALL_PROTOCOL: Protocol = {
  name: "quick",
  purpose: "a test",
  datasets: [{ name: "procedural", embedded: SMALL_DATA.source, origin: "here", change: {} }],
};

/** A training that ends in numbers that are none. */
export const DIVERGING: SpecChange = { train: { learningRate: 100, weightDecay: 1, epochs: 20 } };

interface SmallSettings extends StudySettings {
  /** Accuracy that the last step must reach. */
  readonly least: number;
}

/** A study of one ordinary network a seed: it reads their summaries, and its findings are so by construction. */
export function smallStudy(
  name: string,
  seeds: readonly number[],
  {
    change = {},
    fallbacks = {},
    diverging = [],
    cannotRun,
  }: {
    change?: SpecChange;
    fallbacks?: Fallbacks;
    /** Seeds whose trainings diverge. */
    diverging?: readonly number[];
    cannotRun?: () => string;
  } = {},
): ProtocolStudy {
  const study: Study<SmallSettings> = {
    name,
    title: `A small study called ${name}`,
    claim: "Accuracy is a share.",
    ...(cannotRun && { cannotRun }),
    trainings: (settings, data) =>
      settings.seeds.map((seed) =>
        changedSpec(
          { ...tinyRunSpec("cascaded-ce"), data, seed },
          diverging.includes(seed) ? combined(settings.change, DIVERGING) : settings.change,
          `study ${name}`,
        ),
      ),
    analyse(settings, context) {
      const accuracies = study.trainings(settings, context.data).map((spec) => {
        const [cascade] = runSummary(context.run(spec)).models;
        return cascade?.accuracy.at(-1) ?? NaN;
      });
      const measured = accuracies.map((accuracy) => accuracy.toFixed(2)).join(", ");
      return Promise.resolve({
        findings: decided([
          counted(endPoint("it is at least the least"), measured, mean(accuracies) >= settings.least),
          counted(endPoint("it is above 1"), measured, mean(accuracies) > 1),
        ]),
        tables: [
          {
            name: "accuracy",
            title: "Accuracy of each seed",
            rows: accuracies.map((accuracy, i) => ({
              seed: settings.seeds[i] ?? -1,
              accuracy,
              missing: NaN,
            })),
          },
        ],
        figures: [{ name: "accuracy", caption: "Accuracy of each seed.", figure: smallFigure(accuracies) }],
        numbers: accuracies.flatMap((accuracy, i) =>
          seriesRows({ part: "", arm: "cascade", seed: settings.seeds[i] ?? NaN }, [
            wholeRun("accuracy", accuracy),
          ]),
        ),
      });
    },
  };
  const settings = { seeds, change, least: 0 };
  return withSettings(
    study,
    { quick: settings, reduced: settings, settled: settings, full: settings },
    fallbacks,
  );
}

const endPoint = (statement: string): Statement => ({ statement, by: "project", carries: true });

function smallFigure(values: readonly number[]): PlotlyFigure {
  return { data: [{ type: "bar", y: [...values] }], layout: { width: 200, height: 150 } };
}
