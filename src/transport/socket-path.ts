/**
 * Explains that the path of a socket is too long: `is 120 bytes long; the path of a socket has at most 107`. Node.js would
 * truncate the path, or fail with an error code that does not name the reason.
 */
export function pathTooLong(path: string, platform: NodeJS.Platform = process.platform): string | undefined {
  const limit = socketPathBytes(platform);
  const length = Buffer.byteLength(path);
  return length > limit ? `is ${length} bytes long; the path of a socket has at most ${limit}` : undefined;
}

/** Returns the size of `sun_path` in `sockaddr_un` without the terminating NUL. */
function socketPathBytes(platform: NodeJS.Platform): number {
  return platform === "linux" ? 107 : 103;
}
