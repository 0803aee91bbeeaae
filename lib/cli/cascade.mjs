#!/usr/bin/env node
import { useSharedGpu } from "../dist/cli/gpu-slot.js";
import { UserError } from "../dist/util/errors.js";
import { guardOutput } from "../setup/output-streams.mjs";

guardOutput();
try {
  await useSharedGpu(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`cascade: ${error.message}\n`);
  process.exit(1);
}
// Only now: it loads TensorFlow, which sees the GPUs that the environment names at that moment.
const { main } = await import("../dist/cli/main.js");
await main(process.argv);
