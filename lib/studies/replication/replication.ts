import type { ResolvedDatasetSource } from "../../datasets/source.js";
import { runFolder } from "../../experiments/runs/run-folder.js";
import type { RunSpec } from "../../experiments/specs/spec.js";
import { UserError } from "../../util/errors.js";
import { neededFallbacks, type ProtocolStudy, type ConfiguredStudy } from "./protocol-study.js";
import type { Protocol, WantedDataset } from "./protocols.js";
import { combined, type SpecChange } from "../../experiments/specs/spec-change.js";

/** A data set under the name that results are filed under. */
export interface NamedSource {
  readonly name: string;
  readonly source: ResolvedDatasetSource;
}

/** One training that a replication needs, whichever and however many studies ask for it. */
export interface Training {
  /** Name of the run's directory. */
  readonly directory: string;
  readonly spec: RunSpec;
}

/** One study on one data set. */
export interface ReplicationPart {
  readonly data: NamedSource;
  readonly study: ConfiguredStudy;
  readonly trainings: readonly Training[];
}

/** What a replication consists of: plain, before anything is trained. */
export interface Replication {
  readonly protocol: Protocol;
  readonly parts: readonly ReplicationPart[];
  /** Those of all parts, each once, in the order they are first asked for. */
  readonly trainings: readonly Training[];
  /** What the protocol wants and this replication does without, a sentence each. */
  readonly without: readonly string[];
}

export interface ReplicationChoices {
  readonly protocol: Protocol;
  readonly studies: readonly ProtocolStudy[];
  /** Data sets that the person names; what the protocol has embedded need not be named. */
  readonly data: readonly NamedSource[];
  /** Names of the studies to do; all if left out. */
  readonly only?: readonly string[] | undefined;
  readonly seeds?: readonly number[] | undefined;
  readonly change?: SpecChange;
  /** For a plan: data that are not there have stand-ins. */
  readonly standIns?: boolean;
}

/** Collects the parts and trainings of a replication; a UserError for an unknown study and where no data are left. */
export function planReplication(choices: ReplicationChoices): Replication {
  const { protocol, seeds, change = {}, standIns = false } = choices;
  const studies = chosenStudies(choices.studies, choices.only);
  const named = [...choices.data, ...dataOf(protocol, choices.data, standIns)];
  const without = missingData(protocol, named);
  const undone = new Map(studies.map((study) => [study.name, study.cannotRun()] as const));
  for (const { name, title } of studies) {
    const reason = undone.get(name);
    if (reason !== undefined) without.push(`"${title}", because ${reason}`);
  }
  if (named.length === 0)
    throw new UserError(`protocol ${protocol.name} has no data to work on: ${without.join("; ")}`);
  const parts: ReplicationPart[] = [];
  for (const dataset of named) {
    const wanted = protocol.datasets.find(({ name }) => name === dataset.name);
    for (const study of studies.filter(({ name }) => undone.get(name) === undefined)) {
      for (const sentence of neededFallbacks(study, dataset.source))
        without.push(`${dataset.name}, ${sentence}`);
      const configured = study.configure(protocol.name, {
        seeds,
        change: combined(wanted?.change ?? {}, change),
      });
      const trainings = uniqueTrainings(configured.trainings(dataset.source).map(trainingOf));
      parts.push({ data: dataset, study: configured, trainings });
    }
  }
  return { protocol, parts, trainings: uniqueTrainings(parts.flatMap((part) => part.trainings)), without };
}

function chosenStudies(
  studies: readonly ProtocolStudy[],
  only: readonly string[] | undefined,
): readonly ProtocolStudy[] {
  const unknown = only?.find((name) => !studies.some((study) => study.name === name));
  if (unknown !== undefined)
    throw new UserError(
      `there is no study "${unknown}"; there are ${studies.map(({ name }) => name).join(", ")}`,
    );
  return only === undefined ? studies : studies.filter(({ name }) => only.includes(name));
}

/** What comes with the project, where no other data are given; and stand-ins, where they are wanted. */
function dataOf({ datasets }: Protocol, given: readonly NamedSource[], standIns: boolean): NamedSource[] {
  return datasets.flatMap(({ name, embedded, standIn }) => {
    if (given.some((one) => one.name === name)) return [];
    const source = given.length === 0 && embedded !== undefined ? embedded : standIns ? standIn : undefined;
    return source === undefined ? [] : [{ name, source }];
  });
}

/** What of the protocol's data is not there; data of the person's own choice may take the place of embedded ones. */
function missingData({ datasets }: Protocol, data: readonly NamedSource[]): string[] {
  const isMissing = ({ name, embedded }: WantedDataset): boolean =>
    embedded === undefined && !data.some((given) => given.name === name);
  return datasets.filter(isMissing).map(lackOf);
}

/** How the lack of a data set is told. */
export const lackOf = ({ name, origin }: WantedDataset): string => `${name} (${origin})`;

/** The training of a spec, and the folder of its run. */
export function trainingOf(spec: RunSpec): Training {
  return { directory: runFolder(spec), spec };
}

/** Each training once, in the order in which they are first asked for. */
export function uniqueTrainings(trainings: readonly Training[]): Training[] {
  return [...new Map(trainings.map((training) => [training.directory, training])).values()];
}
