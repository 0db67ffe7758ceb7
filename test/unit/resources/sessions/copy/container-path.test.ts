import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../../../src/errors.js";
import {
  checkContainerFolder,
  checkContainerPath,
  checkPosixPath,
} from "../../../../../src/resources/sessions/copy/container-path.js";
import { posixSystem } from "../../../../../src/resources/sessions/copy/posix-system.js";
import { windowsSystem } from "../../../../../src/resources/sessions/copy/windows-system.js";

function refusal(check: () => unknown): string {
  try {
    check();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInputError);
    return (error as Error).message;
  }
  throw new Error("was accepted");
}

test.each([
  ["/etc", "/etc"],
  ["/etc//a/../b/./", "/etc/b"],
  ["/C:\\dir", "/C:\\dir"],
])("%s is a path of a Linux container", (path, normal) => {
  expect(checkContainerPath(path)).toEqual({ system: posixSystem, path: normal });
});

test.each([
  ["C:\\dir", "C:\\dir"],
  ["c:/dir/sub/", "c:\\dir\\sub"],
  ["C:\\a/..\\b\\.\\c\\\\", "C:\\b\\c"],
  ["C:\\..\\a", "C:\\a"],
  ["C:\\my dir\\&%PATH%^!", "C:\\my dir\\&%PATH%^!"],
  ["C:\\CONSOLE\\com10.txt\\.hidden", "C:\\CONSOLE\\com10.txt\\.hidden"],
])("%s is a path of a Windows container", (path, normal) => {
  expect(checkContainerPath(path)).toEqual({ system: windowsSystem, path: normal });
});

test.each<[unknown, RegExp]>([
  ["etc", /containerPath: must be an absolute path, got "etc"/],
  [7, /containerPath: must be an absolute path, got 7/],
  ["/a\0b", /containerPath: must be an absolute path/],
  ["/", /containerPath: must be an absolute path other than \//],
  ["/a/..", /containerPath: must be an absolute path other than \//],
  ["C:/", /containerPath: must be an absolute path other than C:\\/],
  ["C:", /is relative to the current folder of drive C:; write C:\\/],
  ["C:dir\\sub", /is relative to the current folder of drive C:; write C:\\dir\\sub/],
  ["\\dir", /must begin with a drive, as in C:\\dir/],
  ["\\\\server\\share\\x", /must begin with a drive/],
  ["\\\\.\\pipe\\x", /must begin with a drive/],
  ["C:\\a:stream", /has the name "a:stream", which contains ":": Windows does not allow that in a name/],
  ["C:\\a*", /contains "\*"/],
  ['C:\\a"b', /contains "\\""/],
  ["C:\\a\nb", /contains "\\n"/],
  ["C:\\a.\\b", /has the name "a\.", which ends with a dot or a space/],
  ["C:\\a ", /ends with a dot or a space/],
  ["C:\\NUL", /is the name of a device on Windows/],
  ["C:\\dir\\com1.txt", /is the name of a device on Windows/],
])("refuses %j", (path, expected) => {
  expect(refusal(() => checkContainerPath(path as string))).toMatch(expected);
});

describe("a folder", () => {
  test.each([
    ["/", "/"],
    ["C:/", "C:\\"],
    ["d:\\..", "d:\\"],
  ])("may be the root %s", (path, normal) => {
    expect(checkContainerFolder(path, "containerDir").path).toBe(normal);
  });

  test("is named in errors by its field", () => {
    expect(refusal(() => checkContainerFolder("x", "containerDir"))).toMatch(/containerDir: must be an absolute path/);
  });
});

test("methods that need a POSIX shell refuse paths of Windows containers", () => {
  expect(checkPosixPath("/etc/")).toBe("/etc");
  expect(refusal(() => checkPosixPath("C:\\a"))).toMatch(/containerPath: is a path of a Windows container; use copyTo/);
});
