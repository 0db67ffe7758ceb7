import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { parseImageReference, readImageReference } from "../../../src/specs/image-reference.js";
import { refusal } from "./refusal.js";

const sha256 = `sha256:${"0123456789abcdef".repeat(4)}`;
const sha384 = `sha384:${"a".repeat(96)}`;
const sha512 = `sha512:${"b".repeat(128)}`;
const longest = `${"a/".repeat(127)}a`;

describe("accepts what the grammar of distribution/reference accepts", () => {
  test.each<[text: string, registry: string, repository: string, tag?: string | undefined, digest?: string]>([
    // Short names.
    ["nginx", "docker.io", "library/nginx"],
    ["nginx:1.29", "docker.io", "library/nginx", "1.29"],
    ["team/app", "docker.io", "team/app"],
    ["team/app:v1", "docker.io", "team/app", "v1"],
    ["library/nginx", "docker.io", "library/nginx"],
    [`nginx@${sha256}`, "docker.io", "library/nginx", undefined, sha256],
    [`nginx:1.29@${sha256}`, "docker.io", "library/nginx", "1.29", sha256],
    ["a/b/c/d", "docker.io", "a/b/c/d"],
    // A host or its port looks like a tag unless a slash follows.
    ["registry.example", "docker.io", "library/registry.example"],
    ["registry.example:5000", "docker.io", "library/registry.example", "5000"],
    ["localhost", "docker.io", "library/localhost"],
    ["localhost:5000", "docker.io", "library/localhost", "5000"],
    // Docker Hub by its names.
    ["docker.io/nginx", "docker.io", "library/nginx"],
    ["docker.io/library/nginx", "docker.io", "library/nginx"],
    ["index.docker.io/nginx", "docker.io", "library/nginx"],
    ["index.docker.io/team/app", "docker.io", "team/app"],
    ["registry-1.docker.io/nginx", "registry-1.docker.io", "nginx"],
    // Registries.
    ["localhost/app", "localhost", "app"],
    ["localhost:5000/app", "localhost:5000", "app"],
    ["registry.example/app", "registry.example", "app"],
    ["registry.example:5000/team/app:v1", "registry.example:5000", "team/app", "v1"],
    ["registry:5000/app", "registry:5000", "app"],
    ["127.0.0.1/app", "127.0.0.1", "app"],
    ["Registry.Example/app", "Registry.Example", "app"],
    ["REGISTRY/app", "REGISTRY", "app"],
    ["a-b--c.example/app", "a-b--c.example", "app"],
    ["registry.example:0/app", "registry.example:0", "app"],
    ["registry.example:123456/app", "registry.example:123456", "app"],
    ["xn--bcher-kva.example/app", "xn--bcher-kva.example", "app"],
    // IPv6 addresses in brackets.
    ["[::1]/app", "[::1]", "app"],
    ["[::1]:5000/app:v1", "[::1]:5000", "app", "v1"],
    ["[2001:DB8::1]:5000/team/app", "[2001:DB8::1]:5000", "team/app"],
    ["[:::]/app", "[:::]", "app"],
    // Separators within a part of the repository.
    ["a.b/c_d/e__f/g-h/i---j", "a.b", "c_d/e__f/g-h/i---j"],
    ["x/a.b", "docker.io", "x/a.b"],
    ["0/1", "docker.io", "0/1"],
    // Tags.
    ["app:_", "docker.io", "library/app", "_"],
    ["app:V1.2-rc.3_x", "docker.io", "library/app", "V1.2-rc.3_x"],
    [`app:${"t".repeat(128)}`, "docker.io", "library/app", "t".repeat(128)],
    ["app:5000", "docker.io", "library/app", "5000"],
    // Digests.
    [`app@${sha384}`, "docker.io", "library/app", undefined, sha384],
    [`app@${sha512}`, "docker.io", "library/app", undefined, sha512],
    // Lengths. The registry does not count.
    [`registry.example/${longest}`, "registry.example", longest],
    ["a".repeat(247), "docker.io", `library/${"a".repeat(247)}`],
    [`${"a".repeat(300)}.example/app`, `${"a".repeat(300)}.example`, "app"],
    // Hexadecimal names that are no ids.
    ["a".repeat(63), "docker.io", `library/${"a".repeat(63)}`],
    ["a".repeat(65), "docker.io", `library/${"a".repeat(65)}`],
    [`team/${"a".repeat(64)}`, "docker.io", `team/${"a".repeat(64)}`],
    [`${"a".repeat(64)}:v1`, "docker.io", `library/${"a".repeat(64)}`, "v1"],
  ])("%s", (text, registry, repository, tag, digest) => {
    const suffix = `${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
    expect(parseImageReference(text)).toMatchObject({
      registry,
      repository,
      normalized: `${registry}/${repository}${suffix}`,
    });
    expect(parseImageReference(text).tag).toBe(tag);
    expect(parseImageReference(text).digest).toBe(digest);
  });
});

const noRegistry = /^reference: must begin with a valid registry/;
const noRepository = /^reference: must have a repository of parts between slashes/;
const noTag = /^reference: must have a tag of at most 128/;

describe("refuses what the grammar refuses", () => {
  test.each<[text: unknown, message: RegExp]>([
    [undefined, /^reference: must be a string, got undefined$/],
    ["", /^reference: must not be empty, got ""$/],
    ["a".repeat(64), /^reference: must be a name: this is the id of an image/],
    [sha256, /must be a name: this is the id of an image/],
    // Registries.
    ["https://registry.example/app", /must not begin with a scheme: drop https:\/\//],
    ["docker://nginx", /must not begin with a scheme: drop docker:\/\//],
    ["registry.example:/app", noRegistry],
    ["registry.example:http/app", noRegistry],
    ["-registry.example/app", noRegistry],
    ["registry-.example/app", noRegistry],
    ["registry..example/app", noRegistry],
    [".registry/app", noRegistry],
    ["under_score.example/app", noRegistry],
    ["user@registry.example/app", /digest of sha256, sha384, sha512/],
    ["::1/app", noRegistry],
    ["[::1/app", noRegistry],
    ["[::1]5000/app", noRegistry],
    ["[fe80::1%25eth0]/app", noRegistry],
    ["[registry.example]/app", noRegistry],
    ["bücher.example/app", noRegistry],
    // Repositories.
    ["Nginx", /lower case \(library\/nginx\), got "Nginx"$/],
    ["registry.example/Team/app", /lower case \(team\/app\)/],
    ["registry.example/", noRepository],
    ["/app", noRepository],
    ["a//b", noRepository],
    ["app/", noRepository],
    ["-app", noRepository],
    ["app-", noRepository],
    [".app", noRepository],
    ["a..b", noRepository],
    ["a___b", noRepository],
    ["a._b", noRepository],
    ["a b", noRepository],
    ["app\n", noRepository],
    ["a/ß", noRepository],
    [`registry.example/${longest}a`, /a repository of at most 255 characters/],
    ["a".repeat(248), /a repository of at most 255 characters/],
    // Tags.
    ["app:", noTag],
    ["app:.x", noTag],
    ["app:-x", noTag],
    ["app:a+b", noTag],
    ["app:ü", noTag],
    ["app:v1\n", noTag],
    [`app:${"t".repeat(129)}`, noTag],
    ["a:b:c", noRepository],
    // Digests.
    ["app@", /must have a digest of sha256, sha384, sha512/],
    ["app@sha256", /must have a digest of sha256, sha384, sha512/],
    [`app@md5:${"a".repeat(32)}`, /must have a digest of sha256, sha384, sha512/],
    [`app@SHA256:${"a".repeat(64)}`, /must have a digest of sha256, sha384, sha512/],
    [`app@sha256+b64:${"a".repeat(64)}`, /must have a digest of sha256, sha384, sha512/],
    [`app@sha256:${"a".repeat(63)}`, /must have a sha256 digest of 64 hexadecimal digits in lower case/],
    [`app@sha256:${"A".repeat(64)}`, /must have a sha256 digest of 64 hexadecimal digits in lower case/],
    [`app@sha512:${"a".repeat(64)}`, /must have a sha512 digest of 128 hexadecimal digits/],
    [`app@${sha256}:v1`, /must have a sha256 digest/],
    [`@${sha256}`, noRepository],
  ])("%s", (text, message) => {
    expect(refusal(() => parseImageReference(text as string))).toMatch(message);
  });
});

test.each([
  ["docker.io/library/nginx:1.29", "nginx:1.29"],
  ["index.docker.io/nginx", "nginx"],
  [`docker.io/team/app@${sha256}`, `team/app@${sha256}`],
  ["docker.io/library/team/app", "library/team/app"],
  ["registry.example/library/nginx", "registry.example/library/nginx"],
  // A shorter form would name another registry.
  ["docker.io/localhost/app", "docker.io/localhost/app"],
  ["docker.io/a.b/app", "docker.io/a.b/app"],
])("%s is familiar as %s", (text, familiar) => {
  expect(parseImageReference(text).familiar).toBe(familiar);
});

it("returns forms that mean the same reference", () => {
  const text = fc.oneof(
    fc.stringMatching(/^([a-z.]{1,4}(:5)?\/)?([ab._/-]{1,6})(:[a.]{1,2})?$/),
    fc.stringMatching(/^(docker\.io|index\.docker\.io|localhost)\/(library\/)?[ab./]{1,4}$/),
  );
  fc.assert(
    fc.property(text, (given) => {
      const parsed = readImageReference(given);
      if (typeof parsed === "string") return;
      expect(readImageReference(parsed.normalized)).toEqual(parsed);
      expect(readImageReference(parsed.familiar)).toEqual(parsed);
      expect(parsed.familiar.length).toBeLessThanOrEqual(parsed.normalized.length);
    }),
    { numRuns: 5_000 },
  );
});

it("takes bounded time for long malformed references", () => {
  for (const part of ["a-", "a.", "a__", "[", "a:", "/a", "A"]) {
    for (const end of ["", "!", "/", "/app", "@"]) readImageReference(part.repeat(100_000) + end);
  }
});
