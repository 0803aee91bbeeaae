/** The paper's own size: full width, 150 epochs of step decay, with occlusion as augmentation. */
export const FULL_OVERRIDES: readonly string[] = [
  "network.width=1",
  "train.epochs=150",
  'train.schedule={"kind":"step","milestones":[60,120],"factor":0.2}',
  "train.augmentation.occlusion=16",
];
