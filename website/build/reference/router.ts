import { type Reflection, ReflectionKind } from "typedoc";
import { MemberRouter } from "typedoc-plugin-markdown";
import { folderOf } from "./entry-points.js";

/** Puts the exports of an entry point into one folder: `client/CriClient.md`, `testing/FakeRuntime.md`. */
export class EntryPointRouter extends MemberRouter {
  override getIdealBaseName(reflection: Reflection): string {
    if (reflection.kindOf(ReflectionKind.Module)) return `${folderOf(reflection.name)}/${this.entryFileName}`;
    if (reflection.parent?.kindOf(ReflectionKind.Module)) {
      return `${folderOf(reflection.parent.name)}/${this.getReflectionAlias(reflection)}`;
    }
    return super.getIdealBaseName(reflection);
  }
}
