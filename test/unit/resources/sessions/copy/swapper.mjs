/**
 * Acts as another user who owns the destination folder of a copy. Repeatedly replaces the folders in it with links to a folder of a
 * third user, until standard input ends.
 *
 * usage, in the destination folder: node swapper.mjs FOLDER-OF-THE-THIRD-USER
 */
import { readdirSync, renameSync, symlinkSync, unlinkSync } from "node:fs";

const victim = process.argv.at(-1);
let ended = false;
process.stdin.on("end", () => {
  ended = true;
});
process.stdin.resume();
console.log("ready");

const attempt = (operation, ...paths) => {
  try {
    operation(...paths);
  } catch {
    // The copy moved or removed the folder first.
  }
};

function swap(path) {
  attempt(renameSync, path, `${path}.away`);
  attempt(symlinkSync, victim, path);
  attempt(unlinkSync, path);
  attempt(renameSync, `${path}.away`, path);
}

function turn() {
  for (let round = 0; round < 20; round++) {
    for (const path of ["sub", "sub/deeper", "new"]) swap(path);
    for (const name of readdirSync(".")) if (name.startsWith(".copy-") && !name.endsWith(".away")) swap(name);
  }
  if (!ended) setImmediate(turn);
}
turn();
