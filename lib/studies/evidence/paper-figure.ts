/** Accuracy in % on CIFAR-10 at a mean stopping time of 3 and at the last step, read off the published main figure to about a point. */
export const PAPER: ReadonlyMap<string, { readonly meanStop3: number; readonly last: number }> = new Map([
  ["CascadedTD", { meanStop3: 79, last: 91.5 }],
  ["CascadedTD-MultiHead", { meanStop3: 68, last: 90 }],
  ["CascadedCE", { meanStop3: 10, last: 92 }],
  ["SerialTD", { meanStop3: 58, last: 87 }],
  ["SerialTD-MultiHead", { meanStop3: 59, last: 90 }],
  ["SerialCE", { meanStop3: 10, last: 92 }],
]);
