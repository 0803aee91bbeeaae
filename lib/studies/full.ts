/** The paper's own training: 150 epochs of step decay, with occlusion as augmentation. */
export const FULL_TRAINING_OVERRIDES: readonly string[] = [
  "train.epochs=150",
  'train.schedule={"kind":"step","milestones":[60,120],"factor":0.2}',
  "train.augmentation.occlusion=16",
];

/** The paper's own size: a ResNet of full width, trained in that way. */
export const FULL_OVERRIDES: readonly string[] = ["network.width=1", ...FULL_TRAINING_OVERRIDES];
