/**
 * The table of contents of the site: the sidebar and the landing page show it, and a test compares it with the files.
 *
 * @module
 */

export interface Page {
  /** Relative to the root of the repository. */
  readonly file: string;
  readonly title: string;
}

export interface Group {
  readonly title: string;
  readonly pages: readonly Page[];
}

const guide = (name: string, title: string): Page => ({ file: `docs/${name}.md`, title });

export const groups: readonly Group[] = [
  {
    title: "Start",
    pages: [
      guide("getting-started", "Getting started"),
      guide("cri", "CRI for newcomers"),
      guide("examples", "Examples"),
    ],
  },
  {
    title: "Guides",
    pages: [
      guide("connecting", "Connecting"),
      guide("lifecycle", "Lifecycle"),
      guide("manifests", "Pod manifests"),
      guide("images", "Images"),
      guide("exec", "Commands and files"),
      guide("port-forward", "Ports"),
      guide("logs", "Logs"),
      guide("events", "Events"),
      guide("stats", "Statistics"),
      guide("observability", "Observability"),
      guide("cli", "Command line"),
      guide("json", "JSON and time"),
      guide("errors", "Errors and retries"),
      guide("timeouts", "Timeouts and cancellation"),
    ],
  },
  {
    title: "Recipes",
    pages: [
      guide("recipes/ci-job", "CI job in a throw-away pod"),
      guide("recipes/log-shipper", "Log shipper"),
      guide("recipes/node-agent", "Node agent"),
      guide("node-agent", "Operator with agents"),
      guide("recipes/debug-tool", "Debug tool"),
      guide("recipes/clean-up", "Clean-up"),
      guide("recipes/artefacts", "Artefacts of a container"),
    ],
  },
  {
    title: "Runtimes",
    pages: [
      guide("runtimes", "Runtimes"),
      guide("support", "Support"),
      guide("conformance", "Conformance"),
      guide("bundling", "Bundling"),
    ],
  },
  {
    title: "Coming from",
    pages: [guide("crictl", "crictl"), guide("migrating", "Other clients")],
  },
  {
    title: "Project",
    pages: [
      guide("testing", "Testing"),
      { file: "SECURITY.md", title: "Security" },
      guide("reliability", "Reliability"),
      guide("performance", "Performance"),
      guide("scaling", "Scaling of the node agent"),
      { file: "CHANGELOG.md", title: "Changelog" },
      { file: "CONTRIBUTING.md", title: "Contributing" },
    ],
  },
];

/** All pages, in the order of the sidebar. */
export const pages: readonly Page[] = groups.flatMap((group) => group.pages);
