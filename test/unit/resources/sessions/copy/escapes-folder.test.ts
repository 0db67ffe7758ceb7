/** Checks which names of entries could lead outside the folder. On Windows, more names could. */
import { expect, test } from "vitest";
import { escapesFolder } from "../../../../../src/resources/sessions/copy/escapes-folder.js";

const inside = ["./", "./a/b", "./..a", "./a..", "./...", "./a\\b"];
const outside = ["/a", "../a", "./a/../../b", ".."];
const outsideOnWindows = ["\\a", "..\\a", "./a\\..\\..\\b", "./..\\a", "c:\\a", "C:a", "c:/a"];

test.each(inside)("%s stays in the folder on every platform", (name) => {
  expect([escapesFolder(name, "/"), escapesFolder(name, "\\")]).toEqual([false, false]);
});

test.each(outside)("%s escapes the folder on every platform", (name) => {
  expect([escapesFolder(name, "/"), escapesFolder(name, "\\")]).toEqual([true, true]);
});

test.each(outsideOnWindows)("%s escapes the folder on Windows, and is an ordinary name on other systems", (name) => {
  expect([escapesFolder(name, "/"), escapesFolder(name, "\\")]).toEqual([false, true]);
});
