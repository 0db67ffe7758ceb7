/** An archive of a malicious container must not write outside of the folder on Windows either, where more names lead out. */
import { expect, test } from "vitest";
import { escapesFolder } from "../../../../../src/resources/sessions/copy/escapes-folder.js";

const inside = ["./", "./a/b", "./..a", "./a..", "./...", "./a\\b"];
const outside = ["/a", "../a", "./a/../../b", ".."];
const outsideOnWindows = ["\\a", "..\\a", "./a\\..\\..\\b", "./..\\a", "c:\\a", "C:a", "c:/a"];

test.each(inside)("%s stays inside on every platform", (name) => {
  expect([escapesFolder(name, "/"), escapesFolder(name, "\\")]).toEqual([false, false]);
});

test.each(outside)("%s leads out on every platform", (name) => {
  expect([escapesFolder(name, "/"), escapesFolder(name, "\\")]).toEqual([true, true]);
});

test.each(outsideOnWindows)("%s leads out on Windows, and is a name like any other elsewhere", (name) => {
  expect([escapesFolder(name, "/"), escapesFolder(name, "\\")]).toEqual([false, true]);
});
