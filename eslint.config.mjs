import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  {
    ignores: [
      "lib/dist/**",
      "lib/stubs/**",
      "node_modules/**",
      ".venv/**",
      "data/**",
      ".dependency-cruiser.cjs",
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ["eslint.config.mjs"] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Use named exports." },
        {
          selector: "ExportAllDeclaration[exported=null] > Literal[value=/^\\.\\.\\//]",
          message: "Only a room's own files are re-exported.",
        },
        {
          selector: "MemberExpression[object.name='tf'] > Identifier[name=/^(rsqrt|reciprocal)$/]",
          message: "Processors of different makers round it differently: divide, and take tf.sqrt.",
        },
      ],
    },
  },
  {
    // The launcher runs the compiled library, which lint must not depend on.
    files: ["eslint.config.mjs", "lib/cli/cascade.mjs"],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { "no-restricted-syntax": "off" },
  },
  { files: ["**/*.test.ts"], rules: { "@typescript-eslint/no-floating-promises": "off" } },
);
