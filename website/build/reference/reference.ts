/**
 * Writes the reference of the API: a page for each export of the package, from the docstrings.
 *
 * @module
 */
import { join } from "node:path";
import { Application, type TypeDocOptions } from "typedoc";
import type { PluginOptions } from "typedoc-plugin-markdown";
import { repository, repositoryAddress, source, website } from "../places.js";
import { chooseContent } from "./content.js";
import { entryPoints } from "./entry-points.js";
import { EntryPointRouter } from "./router.js";
import { ReferenceTheme } from "./theme.js";

/** Parts of other types that only the compiler needs. The docstrings of those types describe their result. */
const notExported = [
  ...["Exactly", "Flag", "MethodName", "Not", "Opened", "ShortName", "WholeNumber"],
  ...["Method", "Methods", "MessageFns", "MessageFns.fromPartial", "PodPlanParts"],
];

/** The section of exports that are in no section of the source. */
const reExports = "Re-exports";

const options = {
  name: "API reference",
  logLevel: "Warn",
  entryPoints: entryPoints.map((entry) => entry.source),
  tsconfig: join(website, "tsconfig.reference.json"),
  // `npm run typecheck` checks the sources, with the TypeScript of the root.
  skipErrorChecking: true,
  readme: "none",
  basePath: repository,
  displayBasePath: repository,
  disableGit: true,
  gitRevision: "main",
  sourceLinkTemplate: `${repositoryAddress}/blob/{gitRevision}/{path}#L{line}`,
  excludeExternals: true,
  excludeInternal: true,
  excludePrivate: true,
  categorizeByGroup: false,
  categoryOrder: [...entryPoints.flatMap(({ sections }) => [...sections.keys()]), reExports],
  defaultCategory: reExports,
  jsDocCompatibility: { exampleTag: true, defaultTag: false, inheritDocTag: true, ignoreUnescapedBraces: true },
  sort: ["source-order"],
  sortEntryPoints: false,
  treatWarningsAsErrors: true,
  validation: { notExported: true, invalidLink: true, invalidPath: true, rewrittenLink: true, notDocumented: false },
  intentionallyNotExported: notExported,
  plugin: ["typedoc-plugin-markdown"],
  router: "entry-points",
  theme: "reference",
} satisfies TypeDocOptions;

const markdown = {
  entryFileName: "index",
  hidePageHeader: true,
  useCustomAnchors: true,
  indexFormat: "table",
  parametersFormat: "table",
  enumMembersFormat: "table",
  typeDeclarationFormat: "table",
  tableColumnSettings: { hideSources: true, hideInherited: true, hideOverrides: true, hideModifiers: true },
  sanitizeComments: true,
} satisfies PluginOptions;

/** @throws Error if a docstring has a fault, such as a link that leads nowhere. TypeDoc prints the faults */
export async function writeReference(): Promise<void> {
  const app = await Application.bootstrapWithPlugins({ ...options, ...markdown });
  app.renderer.defineRouter("entry-points", EntryPointRouter);
  app.renderer.defineTheme("reference", ReferenceTheme);
  chooseContent(app);
  const project = await app.convert();
  if (project) {
    app.validate(project);
    await app.renderer.render(project, join(source, "api"));
  }
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error("TypeDoc found faults in the docstrings.");
}
