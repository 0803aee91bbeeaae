#!/usr/bin/env node
import { main } from "../dist/cli/main.js";
import { guardOutput } from "../setup/output-streams.mjs";

guardOutput();
await main(process.argv);
