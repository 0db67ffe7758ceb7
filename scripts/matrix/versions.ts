/** The versions of the other packages in the matrix. CONTRIBUTING.md describes how to raise them. */
export const versions = {
  node: { "20": "20.20.2", "22": "22.23.5", "24": "24.22.3", "26": "26.12.1" },
  /** The types that a project with each compiler uses. */
  nodeTypes: "20.19.43",
  /** The optional peers of this package. Its types need them. */
  peers: { "@opentelemetry/api": "1.9.1" },
  bun: "1.4.5",
  deno: "2.9.6",
  typescript: {
    "5.4": "5.4.5",
    "5.5": "5.5.4",
    "5.6": "5.6.3",
    "5.7": "5.7.3",
    "5.8": "5.8.3",
    "5.9": "5.9.3",
    "6.0": "6.0.3",
    "7.0": "7.0.2",
  },
  esbuild: "0.28.2",
  rollup: "4.68.8",
  rollupPlugins: {
    "@rollup/plugin-commonjs": "29.0.3",
    "@rollup/plugin-json": "6.1.0",
    "@rollup/plugin-node-resolve": "16.0.3",
  },
  rolldown: "1.3.3",
  vite: "8.4.0",
  webpack: "5.113.0",
  "webpack-cli": "7.3.1",
  next: "16.4.6",
  react: "19.3.1",
  jest: "30.5.2",
  vitest: "5.1.2",
} as const;
