import type { CriClient } from "../../client.js";
import { refuse, typeName } from "../../input/check.js";
import { type ClientContext, contextOfClient } from "../../resources/context.js";

/** Returns the context of a client. @throws InvalidInputError if the value is not a client */
export function contextOf(cri: CriClient): ClientContext {
  if (!(contextOfClient in Object(cri))) refuse("cri", `must be a CriClient, got ${typeName(cri)}`);
  return cri[contextOfClient];
}
