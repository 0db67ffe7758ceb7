import { delimiter, isAbsolute } from "node:path";

/**
 * The variables that helper programs get: where to find programs, files and certificates, and how to reach proxies, password stores
 * and the desktop's key ring.
 */
const passed: readonly string[] = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "LANG",
  "LC_ALL",
  "TMPDIR",
  "DOCKER_CONFIG",
  "REGISTRY_AUTH_FILE",
  "XDG_CONFIG_HOME",
  "XDG_DATA_HOME",
  "XDG_CACHE_HOME",
  "XDG_RUNTIME_DIR",
  "DBUS_SESSION_BUS_ADDRESS",
  "DISPLAY",
  "WAYLAND_DISPLAY",
  "GNUPGHOME",
  "GPG_TTY",
  "PASSWORD_STORE_DIR",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  // Windows
  "SYSTEMROOT",
  "USERPROFILE",
  "APPDATA",
  "LOCALAPPDATA",
  "PROGRAMFILES",
  "PROGRAMDATA",
  "PATHEXT",
  "TEMP",
  "TMP",
];

/**
 * Returns the environment of helper programs: the variables in {@link passed}, and those that the caller names. Relative directories
 * in `PATH` are left out, because they would run programs of the working directory.
 */
export function helperEnvironment(env: NodeJS.ProcessEnv, named: readonly string[]): NodeJS.ProcessEnv {
  const result: NodeJS.ProcessEnv = {};
  for (const name of [...passed, ...named]) if (env[name] !== undefined) result[name] = env[name];
  const directories = (env.PATH ?? "").split(delimiter).filter((directory) => isAbsolute(directory));
  return { ...result, PATH: directories.join(delimiter) };
}
