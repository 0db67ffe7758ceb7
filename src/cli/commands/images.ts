import type { Image } from "../../proto.js";
import type { CommandModule } from "../command.js";
import { shortId, size } from "../output/cells.js";
import { addListOptions, type ListOptions, printList } from "../output/format.js";
import { matcher } from "../select.js";

/** A line of the table: a tag of an image, or an image without a tag. */
interface Line {
  readonly image: Image;
  readonly repository: string;
  readonly tag: string;
  /** What other commands take. */
  readonly reference: string;
}

/** `images`: lists images. */
export const images: CommandModule<ListOptions> = {
  define(command) {
    command.argument(
      "[IMAGE...]",
      "only images with a tag or id that begins like this, with or without docker.io/library/",
    );
    addListOptions(command);
    command.addHelpText(
      "after",
      `
Examples:
  k8s-cri-client images
  k8s-cri-client images busybox            one repository
  k8s-cri-client images -o wide --no-trunc with digests`,
    );
  },

  async run(invocation, prefixes, options) {
    const { trunc } = options;
    const cri = await invocation.connect();
    const isWanted = matcher(prefixes);
    const lines = (await cri.images.list()).flatMap(linesOf).filter(({ image, reference }) => {
      return isWanted(...shortNames(reference), image.id, image.id.replace(/^sha256:/, ""));
    });
    const wanted = [...new Set(lines.map(({ image }) => image))];
    await printList(invocation, options, {
      items: lines.toSorted((one, other) => one.reference.localeCompare(other.reference)),
      columns: [
        { title: "IMAGE", cell: ({ repository }) => repository },
        { title: "TAG", cell: ({ tag }) => tag },
        { title: "IMAGE ID", cell: ({ image }) => shortId(image.id, trunc) },
        { title: "SIZE", cell: ({ image }) => size(image.size.toNumber()) },
        { title: "PINNED", cell: ({ image }) => (image.pinned ? "yes" : ""), wide: true },
        { title: "DIGEST", cell: ({ image }) => shortId(digestOf(image), trunc), wide: true },
      ],
      name: ({ reference }) => reference,
      json: () => ({ images: wanted }),
    });
  },
};

function linesOf(image: Image): Line[] {
  const none = "<none>";
  if (image.repoTags.length === 0) {
    const [digest] = image.repoDigests;
    return [{ image, repository: digest?.split("@")[0] ?? none, tag: none, reference: digest ?? image.id }];
  }
  return image.repoTags.map((reference) => {
    const [, repository = reference, tag = none] = /^(.+?)(?::([^:/]+))?$/.exec(reference) ?? [];
    return { image, repository, tag, reference };
  });
}

/** The names under which people know an image, also of Docker Hub. */
function shortNames(reference: string): string[] {
  return [reference, reference.replace(/^docker\.io\//, ""), reference.replace(/^docker\.io\/library\//, "")];
}

function digestOf({ repoDigests }: Image): string {
  return repoDigests[0]?.split("@")[1] ?? "";
}
