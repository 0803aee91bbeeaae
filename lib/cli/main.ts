import { warnOnStandardError } from "../util/warn.js";
import { Command } from "commander";
import { UserError } from "../util/errors.js";
import { benchCommand } from "./bench.js";
import { dataCommand } from "./data.js";
import { leaderboardCommand } from "./leaderboard.js";
import { notebookCommand } from "./notebook.js";
import { pageCommand } from "./page.js";
import { parityCommand } from "./parity.js";
import { profileCommand } from "./profile.js";
import { replicateCommand } from "./replicate.js";
import { runCommand } from "./run.js";
import { runsCommand } from "./runs.js";
import { sweepCommand } from "./sweep.js";
import { traceCommand } from "./trace.js";

/** The `cascade` command line; every subcommand has a file of its own beside this one. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command("cascade")
    .description("Anytime prediction with cascaded networks and a temporal-difference loss")
    .showHelpAfterError("(add --help for what is allowed)");
  for (const command of [
    benchCommand(),
    dataCommand(),
    leaderboardCommand(),
    notebookCommand(),
    pageCommand(),
    parityCommand(),
    profileCommand(),
    replicateCommand(),
    runCommand(),
    runsCommand(),
    sweepCommand(),
    traceCommand(),
  ])
    program.addCommand(command);
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    warnOnStandardError(`cascade: ${error.message}`);
    process.exitCode ??= 1; // a stopped command has its own
  }
}
