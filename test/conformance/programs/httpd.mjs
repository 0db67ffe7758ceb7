/** The subset of busybox httpd that journeys use: `httpd -f -p PORT -h FOLDER`. */
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { parseArgs } from "node:util";

const options = {
  f: { type: "boolean", short: "f" },
  p: { type: "string", short: "p" },
  h: { type: "string", short: "h" },
};
const { p: port, h: folder } = parseArgs({ options }).values;

createServer(({ url }, response) => {
  createReadStream(join(folder, url))
    .on("error", () => response.writeHead(404).end())
    .pipe(response);
}).listen(Number(port), "127.0.0.1");
