import { Command } from "commander";
import { closeBrowser } from "../figures/browser.js";
import { writeNotebookPage } from "../notebook/notebook-page.js";
import { writeOut } from "./output.js";

/** `cascade page <notebook> <file>`. */
export function pageCommand(): Command {
  return new Command("page")
    .description(
      "write a notebook as it stands as a page, HTML or PDF, figures as vector graphics; runs nothing",
    )
    .argument("<notebook>", "an .ipynb file with outputs")
    .argument("<file>", "a name that ends with .html or .pdf")
    .action(async (notebook: string, file: string) => {
      try {
        await writeNotebookPage(notebook, file);
      } finally {
        await closeBrowser();
      }
      writeOut(`written to ${file}`);
    });
}
