import { access, chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder with shell scripts as credential helpers and plugins, and with configuration files. */
export class HelperPrograms implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<HelperPrograms> {
    return new HelperPrograms(await mkdtemp(join(tmpdir(), "k8s-cri-helpers-")));
  }

  /** The environment in which the programs are found. The user's home is the folder. */
  get env(): NodeJS.ProcessEnv {
    return { PATH: `${this.folder}:/usr/bin:/bin`, HOME: this.folder, XDG_RUNTIME_DIR: join(this.folder, "run") };
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Adds a program. It appends its name, arguments and input to the file `calls`, then runs the script. */
  async program(name: string, script: string): Promise<string> {
    const path = this.path(name);
    const record = `input=$(cat); printf '%s %s %s\\n' ${name} "$*" "$input" >> ${this.path("calls")}`;
    await writeFile(path, `#!/bin/sh\n${record}\n${script}\n`);
    await chmod(path, 0o755);
    return path;
  }

  /** Adds a credential helper that prints a user name and a secret. */
  async helper(name: string, username: string, secret: string): Promise<string> {
    const output = JSON.stringify({ ServerURL: "ignored", Username: username, Secret: secret });
    return this.program(`docker-credential-${name}`, `echo '${output}'`);
  }

  /** Adds a file with JSON. */
  async json(name: string, content: object): Promise<string> {
    const path = this.path(name);
    await writeFile(path, JSON.stringify(content));
    return path;
  }

  /** The lines that programs wrote when they were run: name, arguments and input. */
  async calls(): Promise<string[]> {
    const path = this.path("calls");
    const text = await access(path).then(
      () => readFile(path, "utf8"),
      () => "",
    );
    return text.split("\n").filter((line) => line !== "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
