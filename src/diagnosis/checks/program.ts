import { packageVersion } from "../../internal/package-version.js";
import { type Finding, finding } from "../finding.js";

/** The oldest version of Node.js that the package supports: `engines` in package.json. */
const oldestNode = [20, 9] as const;

/** Describes this process: versions, platform and user. */
export function checkProgram(): Finding {
  const { platform, arch, versions } = process;
  const user = process.geteuid?.();
  const as = user === undefined ? "" : user === 0 ? ", as root" : `, as user ${user}`;
  const found = `k8s-cri-client ${packageVersion} on Node.js ${versions.node}, ${platform} ${arch}${as}`;
  const [major = 0, minor = 0] = versions.node.split(".").map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    return finding("program", "failure", found, { remedy: `Install Node.js ${oldestNode.join(".")} or newer.` });
  }
  if (platform === "linux") return finding("program", "ok", found);
  const remedy =
    platform === "win32"
      ? "Support for Windows is experimental. If something fails, try it on Linux."
      : "Container runtimes run on Linux. Run the program there, or name a runtime with an https:// endpoint.";
  return finding("program", "warning", found, { remedy });
}
