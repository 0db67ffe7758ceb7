/** @module */
import { join } from "node:path";
import { fetchPackages } from "../../../test/runtime/lab/debian.js";

/** Returns the path of etcd. Both API servers work with etcd 3.4 of Debian 12. */
export async function etcdProgram(): Promise<string> {
  return join(await fetchPackages("bookworm", ["etcd-server"]), "usr/bin/etcd");
}
