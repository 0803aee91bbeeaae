/**
 * The contents page: what notebooks import. One line a file, room by room, top first.
 */

// experiments: whole runs and studies
export { findRun } from "./experiments/comparing/find-run.js";
export { runDifference, type RunDifference } from "./experiments/comparing/run-difference.js";
export { runsTable, type RunsQuery } from "./experiments/comparing/runs-table.js";
export { writePyTorchWeights } from "./experiments/export/pytorch-weights.js";
export { writeTable } from "./experiments/export/table-file.js";
export { writeTensorBoard } from "./experiments/export/tensorboard.js";
export { blockInfluence } from "./experiments/analyses/block-influence.js";
export { modelViews, trainedNetwork } from "./experiments/specs/model-views.js";
export { specHash } from "./experiments/specs/spec-hash.js";
export { answerTimes } from "./experiments/analyses/answer-times.js";
export { correctnessGru, traceProbabilities, validationTrace } from "./experiments/analyses/metacognition.js";
export { divergedSummary, type Divergence, divergenceText } from "./experiments/runs/divergence.js";
export { currentEnvironment } from "./experiments/runs/environment.js";
export { collectTrace } from "./experiments/runs/collect-trace.js";
export {
  type Change,
  changedSpec,
  changeTexts,
  combined,
  type SpecChange,
} from "./experiments/specs/spec-change.js";
export { PRESETS, presetNamed, type PresetName } from "./experiments/specs/presets.js";
export { runDataset } from "./experiments/runs/run-images.js";
export { listRuns, readRun } from "./experiments/runs/run-record.js";
export { parseRunSpec, type RunSpec } from "./experiments/specs/spec.js";
export { runTracedImages, type TracedImages } from "./experiments/runs/traced-images.js";
export { openTrainedModel, TrainedModel } from "./experiments/runs/trained-model.js";
export { runSummary, type RunSummary } from "./experiments/runs/run-summary.js";
export { testImages } from "./experiments/runs/image-splits.js";
export { trainingRun } from "./experiments/runs/training-run.js";
export type { TrainingView, WatchedTraining, WatchTraining } from "./experiments/runs/training-watch.js";

// studies: a claim each, how it is tested, what came out
export { DELAYS_SETTINGS, delaysStudy } from "./studies/claims/delays/study.js";
export { DENSENET_SETTINGS, densenetStudy } from "./studies/claims/densenet/study.js";
export { FIELD_SETTINGS, fieldStudy } from "./studies/claims/field/study.js";
export { LAMBDA_SETTINGS, lambdaStudy } from "./studies/claims/lambda/study.js";
export { NORM_CONSTANTS_SETTINGS, normConstantsStudy } from "./studies/claims/norm-constants/study.js";
export { NORM_STABILITY_SETTINGS, normStabilityStudy } from "./studies/claims/norm-stability/study.js";
export { PRECISION_SETTINGS, precisionStudy } from "./studies/claims/precision/study.js";
export { SCALING_SETTINGS, scalingStudy } from "./studies/claims/scaling/study.js";
export { NOISE_SETTINGS, noiseStudy } from "./studies/claims/noise/study.js";
export { QUICK_DATA } from "./studies/quick.js";
export { SIX_MODELS_SETTINGS, sixModelsStudy } from "./studies/claims/six-models/study.js";
export {
  type LeaderboardOptions,
  leaderboardOfRuns,
  leaderboardTable,
  type RunOnLeaderboard,
} from "./studies/leaderboard.js";
export { readNumbers } from "./studies/replication/number-file.js";
export { runStudy } from "./studies/run-study.js";
export { type Finding, verdictOf } from "./studies/evidence/finding.js";
export type { ProtocolName, Study, StudyResult } from "./studies/study.js";
export { StudyContext } from "./studies/study-context.js";
export { TRACE_SETTINGS, traceStudy } from "./studies/claims/trace/study.js";
export { tracedImages } from "./studies/claims/trace/traced-images.js";
export { TYPICALITY_SETTINGS, typicalityStudy } from "./studies/claims/typicality/study.js";

// notebook: what a page shows
export { openStudy, type OpenStudy, type StudyParameters } from "./notebook/open-study.js";
export { show } from "./notebook/show.js";
export { type Check, showChecks } from "./notebook/show-checks.js";
export { showFindings, showRecordedFindings } from "./notebook/show-findings.js";
export { showStudyFigure, showStudyTable } from "./notebook/show-study.js";
export { showTable } from "./notebook/show-table.js";
export { showText } from "./notebook/show-text.js";
export { typedRows } from "./notebook/typed-rows.js";
export { showTraceExplorer, type TraceExplorerOptions } from "./notebook/show-trace-explorer.js";
export {
  missingTrainings,
  type MissingTrainings,
  type TrainedRun,
  trainMissing,
  type TrainMissingOptions,
  traceOf,
} from "./notebook/train-missing.js";

// train
export { learningRateAt, type Schedule } from "./train/schedule.js";
export { batchGradients, trainingStep, type TrainingState } from "./train/training-step.js";
export {
  type GruExamples,
  type GruTrainingSettings,
  type TrainedGru,
  trainTraceGru,
} from "./train/trace-gru-training.js";

// models and losses
export {
  cascadedDenseNet,
  type CascadedDenseNet,
  type CascadedDenseNetSpec,
} from "./models/cascaded-densenet.js";
export { type CascadedNetwork } from "./models/cascaded-network.js";
export { type AnytimeNetwork, forward, parameterCount } from "./models/anytime-network.js";
export { boostNet } from "./models/boostnet.js";
export { branchyResNet } from "./models/branchy-resnet.js";
export { msdNet, type MsdNetSpec } from "./models/msdnet.js";
export { type MultiExitNetwork } from "./models/multi-exit-network.js";
export { type ParallelHardware, parallelTimes } from "./models/parallel-time.js";
export { shallowDeepNetwork } from "./models/shallow-deep-network.js";
export { zeroTimeWaste } from "./models/zero-time-waste.js";
export { cascadedResNet, type CascadedResNet, type CascadedResNetSpec } from "./models/cascaded-resnet.js";
export { networkCost, type NetworkCost } from "./models/cost.js";
export { disposeState, evaluationPass, initialState, type NetworkState } from "./models/state.js";
export { stream, type StreamedStep } from "./models/stream.js";
export { type ExitWeights, exitWeightsAt, shallowDeepWeights } from "./losses/exit-weights.js";
export { gruInputs, gruProbabilities, type TraceGru } from "./models/trace-gru.js";
export { tdLoss, tdTargets, tdWeights, type TdSettings } from "./losses/td-lambda.js";

// nn
export { type Delay, delayKernel } from "./nn/delay.js";
export type { Scheme } from "./nn/scheme.js";
export { describeBackend } from "./nn/backend/kernel-level.js";
export { isNative, tf } from "./nn/tensorflow.js";
export { changingTimeline, constantTimeline, type Timeline } from "./nn/timeline.js";

// trace: analyses
export { accuracyPerTimestep, accuracyTable, asymptoticAccuracy } from "./trace/accuracy-per-timestep.js";
export { cachingAnytime, productAnytime } from "./trace/anytime-combination.js";
export { areaUnderAccuracy, areaUnderSpeedAccuracy, commonRange } from "./trace/area.js";
export { auroc, aurocBootstrap } from "./trace/auroc.js";
export { accuracyWithin, type Answers, areaOverBudgets } from "./trace/budget.js";
export { depthEnsemble, networkFamily } from "./trace/ensembles.js";
export { exitScores, type ExitScores, fitExitScores } from "./trace/exit-scores.js";
export {
  fitGeometricEnsemble,
  type GeometricEnsemble,
  withGeometricEnsemble,
} from "./trace/geometric-ensemble.js";
export { budgetedBatchCurve, budgetedThresholds, geometricShares } from "./trace/budgeted-batch.js";
export { calibrationTable, expectedCalibrationError, reliabilityTable } from "./trace/calibration.js";
export {
  leaderboard,
  type LeaderboardEntry,
  type LeaderboardMeasures,
  type LeaderboardRow,
} from "./trace/leaderboard.js";
export { labelProbabilityFalls, monotonicityViolations } from "./trace/monotonicity.js";
export { overthinking } from "./trace/overthinking.js";
export {
  conformalSets,
  fitNestedThresholds,
  nestedSets,
  type PredictionSets,
  type SetMeasures,
  setMeasures,
} from "./trace/prediction-sets.js";
export { confusionOverTime, confusionTable } from "./trace/confusion.js";
export { confidences, correctness, predictions, probabilities } from "./trace/probabilities.js";
export { brierScore, negativeLogLikelihood } from "./trace/proper-scores.js";
export { type RiskControl, riskControlledThreshold } from "./trace/risk-control.js";
export { areaUnderRiskCoverage, failurePredictionAuroc, riskCoverage } from "./trace/selective-prediction.js";
export { speedAccuracyCurve, speedAccuracyTable } from "./trace/speed-accuracy-curve.js";
export { assertComparable, type ValidationTrace } from "./trace/split.js";
export { oracleStoppingTimes, type StoppingRule, stoppingTimes } from "./trace/stopping-time.js";
export { firstInformedTimestep, subtrace, traceFrom } from "./trace/subtrace.js";
export { fitTemperatures, withTemperatures } from "./trace/temperature.js";
export { readTrace, writeTrace } from "./trace/trace-file.js";
export { relativeDrop } from "./trace/robustness.js";
export type { Trace } from "./trace/trace.js";
export { timestepMeasures, type TraceMeasures, traceMeasures } from "./trace/trace-measures.js";
export { changedImages, traceChanges, traceChangesByClass } from "./trace/trace-changes.js";
export { traceTable } from "./trace/trace-table.js";
export {
  type Selection,
  selection,
  typicalityByClassTable,
  typicalityCorrelation,
  typicalityTable,
} from "./trace/typicality.js";

// figures: result table -> figure
export { accuracyAgainstLambdaFigure } from "./figures/accuracy-against-lambda.js";
export { accuracyByDelayFigure } from "./figures/accuracy-by-delay.js";
export { accuracyInTheLongRunFigure } from "./figures/accuracy-in-the-long-run.js";
export { accuracyOverBudgetFigure } from "./figures/accuracy-over-budget.js";
export { leadOverTrainingFigure, type PublishedLead } from "./figures/lead-over-training.js";
export { accuracyOverTimeFigure } from "./figures/accuracy-over-time.js";
export { blockInfluenceFigure } from "./figures/block-influence.js";
export { calibrationOverTimeFigure } from "./figures/calibration-over-time.js";
export { confusionOverTimeFigure } from "./figures/confusion-over-time.js";
export { costFigure } from "./figures/cost.js";
export { delayKernelsFigure, type NamedKernel } from "./figures/delay-kernels.js";
export { distanceOverTimeFigure } from "./figures/distance-over-time.js";
export { exportFigure } from "./figures/export.js";
export { figureLayout, type FigureLayoutOptions } from "./figures/figure-layout.js";
export type { FigureLike, PlotlyFigure } from "./figures/figure.js";
export { functionalDepthFigure } from "./figures/functional-depth.js";
export { type CaptionedImage, imageGrid, type ImageGroup } from "./figures/image-grid.js";
export { noisePicturesFigure } from "./figures/noise-pictures.js";
export { overTimeByLambdaFigure, type OverTimeByLambdaOptions } from "./figures/over-time-by-lambda.js";
export { reliabilityFigure } from "./figures/reliability.js";
export { speedAccuracyFigure } from "./figures/speed-accuracy.js";
export { speedAccuracyOfDataSets, speedAccuracyPanels } from "./figures/speed-accuracy-panels.js";
export { type DrawnStopping, stoppingOverTimeFigure } from "./figures/stopping-over-time.js";
export { type DrawnChanges, traceChangesFigure } from "./figures/trace-changes.js";
export { tdTargetsFigure } from "./figures/td-targets.js";
export { typicalityFigure } from "./figures/typicality.js";

// datasets and noise
export type { Dataset, ImageSet } from "./datasets/dataset.js";
export { loadDataset, loadImageSplit } from "./datasets/load.js";
export { parseDatasetSource } from "./datasets/parse-source.js";
export { resolveDatasetSource } from "./datasets/source.js";
export { limit, stratifiedSplit, subset } from "./datasets/split.js";
export { pngDataUri } from "./datasets/encode.js";
export { channelStatistics } from "./datasets/statistics.js";
export { NOISE_NAMES, NOISE_STRENGTHS, type NoiseName, NOISES, type NoiseStrength } from "./noise/noises.js";
export { occlude } from "./noise/occlusion.js";
export { type Disturbance, disturbedFrames, type NoiseSchedule } from "./noise/schedule.js";

// util
export { softmax } from "./util/softmax.js";
export { UserError } from "./util/errors.js";
export { randomStream } from "./util/random.js";
export { mcnemarExact } from "./util/mcnemar.js";
export { bootstrapInterval, mean, spearman, spearmanInterval, standardError } from "./util/statistics.js";
