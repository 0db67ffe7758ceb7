import { type AuthConfig, Long } from "../../proto.js";
import type { FlavorProfile } from "../flavors/profile.js";
import { type HandlersOf, rpcError } from "../handlers.js";
import { toLong } from "../state/clock.js";
import { type FakeImage, type ImageRecord, imageRefOf, toImage } from "../state/images.js";
import { formatReference, parseReference } from "../state/reference.js";
import { checkPull, type RegistryRules } from "../state/registry.js";
import type { RuntimeState } from "../state/runtime-state.js";

type ImageRpc = "ListImages" | "ImageStatus" | "PullImage" | "RemoveImage" | "ImageFsInfo";

/** The contents of the registry. */
export interface RegistryOptions {
  rules: RegistryRules;
  /** Images with properties, by their full reference. */
  known: ReadonlyMap<string, FakeImage>;
}

/** Handles the image RPCs. */
export function imageService(
  state: RuntimeState,
  flavor: FlavorProfile,
  registry: RegistryOptions,
): HandlersOf<ImageRpc> {
  const { images } = state;
  return {
    ListImages({ filter }) {
      const wanted = filter?.image?.image ?? "";
      if (wanted === "" || !flavor.filtersImages) return { images: images.all.map(toImage) };
      const image = images.find(wanted);
      return { images: image ? [toImage(image)] : [] };
    },

    ImageStatus({ image, verbose }) {
      const name = image?.image ?? "";
      if (name === "" && flavor.noImageName) throw rpcError("UNKNOWN", flavor.noImageName);
      const found = images.find(name);
      if (!found) return {};
      return { image: toImage(found), info: verbose ? { info: JSON.stringify(verboseInfo(found)) } : {} };
    },

    async PullImage({ image, auth }, context) {
      const text = image?.image ?? "";
      const reference = parseReference(text);
      if (!reference) {
        throw rpcError("UNKNOWN", `failed to parse image reference "${text}": invalid reference format`);
      }
      checkPull(registry.rules, reference, flavor.readsEncodedAuth ? auth : withoutEncodedAuth(auth));
      await context.duringEffect();
      const full = formatReference(reference);
      const pulled = images.add({ ...registry.known.get(full), reference: full });
      return { imageRef: flavor.pullResult === "digest" ? imageRefOf(pulled) : pulled.id };
    },

    RemoveImage({ image }) {
      const name = image?.image ?? "";
      if (name === "" && flavor.noImageName) throw rpcError("UNKNOWN", flavor.noImageName);
      const found = images.find(name);
      const isById = isImageId(name);
      if (!found || (flavor.imageRemoval === "idOnly" && !isById)) return {};
      const user = state.containers.all.find(({ image }) => image === found);
      if (user && flavor.errors.imageInUse) throw flavor.errors.imageInUse(found, user);
      if (flavor.imageRemoval === "tag" && !isById) images.untag(found, name);
      else images.delete(found);
      return {};
    },

    ImageFsInfo() {
      const used = images.all.reduce((sum, { size }) => sum + size, 0);
      const filesystem = {
        timestamp: toLong(state.clock.now()),
        fsId: { mountpoint: flavor.imagesDirectory },
        usedBytes: { value: Long.fromNumber(used, true) },
        inodesUsed: { value: Long.fromNumber(290 * images.all.length, true) },
      };
      return { imageFilesystems: [filesystem], containerFilesystems: flavor.family === "cri-o" ? [filesystem] : [] };
    },
  };
}

function withoutEncodedAuth(auth: AuthConfig | undefined): AuthConfig | undefined {
  return auth && (auth.username !== "" || auth.password !== "") ? { ...auth, auth: "" } : undefined;
}

function isImageId(name: string): boolean {
  return /^(sha256:)?[0-9a-f]{12,64}$/.test(name);
}

/** Returns the verbose info in containerd's format. */
function verboseInfo({ id, entrypoint, command, env, labels, stopSignal, user }: ImageRecord): unknown {
  const config = {
    ...(user !== undefined && { User: String(user) }),
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ...(entrypoint.length > 0 && { Entrypoint: entrypoint }),
    Cmd: command,
    Labels: labels,
    ...(stopSignal && { StopSignal: stopSignal }),
  };
  return { chainID: id, imageSpec: { architecture: "amd64", os: "linux", config, rootfs: { type: "layers" } } };
}
