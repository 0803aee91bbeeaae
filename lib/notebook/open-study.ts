import { parseDatasetSource } from "../datasets/parse-source.js";
import { resolveDatasetSource, type ResolvedDatasetSource } from "../datasets/source.js";
import { combined, type SpecChange } from "../experiments/specs/spec-change.js";
import type { RunSpec } from "../experiments/specs/spec.js";
import { analyseSurvivors } from "../studies/diverged.js";
import { PROTOCOLS, PROTOCOL_NAMES } from "../studies/replication/protocols.js";
import type { ProtocolName, Study, StudyResult, StudySettings } from "../studies/study.js";
import { StudyContext } from "../studies/study-context.js";
import { UserError } from "../util/errors.js";

/** What the cell of parameters says, in every notebook alike. */
export interface StudyParameters {
  /** "quick", "reduced", "settled" or "full". */
  readonly protocol: string;
  /** A data source as on the command line; "" for the images that come with the project. */
  readonly data: string;
  /** File with the C-scores of the training images; "" for none. */
  readonly cScores: string;
  /** In the place of the protocol's seeds; [] for those. */
  readonly seeds: readonly number[];
}

/** A study whose settings and data are chosen. */
export interface OpenStudy<Settings extends StudySettings> {
  readonly settings: Settings;
  readonly context: StudyContext;
  /** The trainings that it needs, which are not trained yet. */
  readonly specs: readonly RunSpec[];
  /** What the study finds, once its trainings are finished. */
  analyse(): Promise<StudyResult>;
}

/**
 * A study as the parameters of a notebook have it; trains nothing. Without `data` it is what `cascade replicate` does
 * by the same protocol, so that runs are shared with it. Throws a UserError for a protocol that is none, for one
 * whose data do not come with the project where none are given, and for a seed that is given twice.
 */
export async function openStudy<Settings extends StudySettings>(
  study: Study<Settings>,
  byProtocol: Readonly<Record<ProtocolName, Settings>>,
  { protocol: name, data, cScores, seeds }: StudyParameters,
): Promise<OpenStudy<Settings>> {
  const protocol = PROTOCOL_NAMES.find((one) => one === name);
  if (protocol === undefined)
    throw new UserError(`there is no protocol "${name}"; there are ${PROTOCOL_NAMES.join(", ")}`);
  // Twice the same training would count as two that agree.
  const twice = seeds.find((seed, i) => seeds.indexOf(seed) !== i);
  if (twice !== undefined) throw new UserError(`the parameter seeds names ${twice} twice`);
  const { source, change } =
    data === "" ? embedded(protocol) : { source: await named(data, cScores), change: {} };
  const chosen = byProtocol[protocol];
  const settings: Settings = {
    ...chosen,
    seeds: seeds.length === 0 ? chosen.seeds : seeds,
    change: combined(chosen.change, change),
  };
  const context = new StudyContext(source);
  return {
    settings,
    context,
    specs: study.trainings(settings, source),
    analyse: () => analyseSurvivors(study, settings, context),
  };
}

function embedded(protocol: ProtocolName): { source: ResolvedDatasetSource; change: SpecChange } {
  const [wanted] = PROTOCOLS[protocol].datasets;
  if (wanted?.embedded !== undefined) return { source: wanted.embedded, change: wanted.change };
  throw new UserError(
    `protocol "${protocol}" needs images that do not come with the project: set data = "${wanted?.name ?? ""}=<archive or folder>" in the cell of parameters`,
  );
}

async function named(data: string, cScores: string): Promise<ResolvedDatasetSource> {
  const source = await parseDatasetSource(data);
  return cScores === "" ? source : resolveDatasetSource({ ...source, cScores });
}
