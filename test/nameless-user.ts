import { spawnSync } from "node:child_process";

/** A user whom the system does not know by name, as containers have them. */
export const NAMELESS = 54321;

const LOOK = ["-e", "fs.readdirSync(process.argv[1])", import.meta.dirname];
/** For `skip`: only root starts processes of another user, who must be able to read the project. */
export const noNameless = spawnSync(process.execPath, LOOK, { uid: NAMELESS }).status !== 0;
