import type { CellFolder } from "./cell-folder.js";

/** A project in which the package and its tools are installed, for one or more cells. */
export interface Project {
  /** The name of its folder. */
  name: string;
  /** The packages beside this one, by name, with exact versions. */
  packages: Readonly<Record<string, string>>;
}

/** Something that does not work because of another program, and what a user can do about it. */
export interface Limit {
  /** What the table shows instead of "ok". */
  status: string;
  /** The note below the table: the reason, and the error. */
  note: string;
  /** Matches the error of the cell. The cell fails if it fails differently, and also if it works. */
  error: RegExp;
  /** What works instead. */
  instead?: ((folder: CellFolder) => Promise<void>) | undefined;
}

/** One combination of the matrix: a row and a column of a table. */
export interface Cell {
  /** The name for `--only`, such as `node-20-esm`. */
  name: string;
  row: string;
  column: string;
  project: Project;
  /** Runs the cell. Throws if it does not work. */
  run(folder: CellFolder): Promise<void>;
  limit?: Limit | undefined;
}

/** One table. */
export interface Group {
  title: string;
  /** The head of the first column. */
  head: string;
  cells: readonly Cell[];
}
