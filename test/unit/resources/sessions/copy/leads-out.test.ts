/** An archive of a malicious container must not write outside of the folder on Windows either, where more names lead out. */
import { expect, test } from "vitest";
import { leadsOut } from "../../../../../src/resources/sessions/copy/leads-out.js";

const inside = ["./", "./a/b", "./..a", "./a..", "./...", "./a\\b"];
const outside = ["/a", "../a", "./a/../../b", ".."];
const outsideOnWindows = ["\\a", "..\\a", "./a\\..\\..\\b", "./..\\a", "c:\\a", "C:a", "c:/a"];

test.each(inside)("%s stays inside on every platform", (name) => {
  expect([leadsOut(name, "/"), leadsOut(name, "\\")]).toEqual([false, false]);
});

test.each(outside)("%s leads out on every platform", (name) => {
  expect([leadsOut(name, "/"), leadsOut(name, "\\")]).toEqual([true, true]);
});

test.each(outsideOnWindows)("%s leads out on Windows, and is a name like any other elsewhere", (name) => {
  expect([leadsOut(name, "/"), leadsOut(name, "\\")]).toEqual([false, true]);
});
