/** Names of the models that findings compare, as specs give them (lib/experiments/specs/names.ts). */
export const CASCADED_TD = "CascadedTD";
export const CASCADED_CE = "CascadedCE";
export const SERIAL_CE = "SerialCE";
/** A head for each timestep on a serial network, without exit weights: what the paper's main figure calls SDN. */
export const SERIAL_TD_MULTIHEAD = "SerialTD-MultiHead";
/** A Shallow-Deep Network with the exit weights of its own publication. */
export const SDN = "SDN";
