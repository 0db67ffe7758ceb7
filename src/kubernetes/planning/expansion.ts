/**
 * Replaces `$(NAME)` in a string by the value of the variable, and `$$` by `$`. References to variables without a value, and a `$`
 * that begins no reference, stay as they are. Values are not expanded again.
 *
 * Source: the expansion of a kubelet for `env`, `command`, `args` and `subPathExpr`.
 */
export function expand(text: string, read: (name: string) => string | undefined): string {
  let expanded = "";
  let copied = 0;
  // Searched once: every further search for a missing `)` would read the rest of the string again.
  let closable = true;
  for (let at = text.indexOf("$"); at !== -1 && at + 1 < text.length; at = text.indexOf("$", copied)) {
    expanded += text.slice(copied, at);
    const close = text[at + 1] === "(" && closable ? text.indexOf(")", at + 2) : -1;
    if (text[at + 1] === "$") {
      expanded += "$";
      copied = at + 2;
    } else if (close !== -1) {
      expanded += read(text.slice(at + 2, close)) ?? text.slice(at, close + 1);
      copied = close + 1;
    } else {
      closable &&= text[at + 1] !== "(";
      expanded += text.slice(at, at + 2);
      copied = at + 2;
    }
  }
  return expanded + text.slice(copied);
}
