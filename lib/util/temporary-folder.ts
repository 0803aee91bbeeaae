import { accessSync, constants } from "node:fs";
import { tmpdir } from "node:os";

/** The system's folder for temporary files; where $TMPDIR names one that cannot be written, another, for all that follows. */
export function temporaryFolder(): string {
  const named = tmpdir();
  const usable = [named, "/tmp", "/var/tmp"].find((folder) => {
    try {
      accessSync(folder, constants.W_OK | constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (usable === undefined || usable === named) return named;
  process.env["TMPDIR"] = usable;
  return usable;
}
