/** File of a run directory that holds the trained weights and statistics. */
export const MODEL_FILE = "model.safetensors";
