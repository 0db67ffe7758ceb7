import type { PodManifestSpec } from "../../manifest/pod.js";
import type { Place } from "../schema/place.js";
import type { Draft } from "../schema/schema.js";

const maxSearchCharacters = 2_048;

/** Checks the DNS settings of a pod. */
export function dnsRules({ dnsPolicy, dnsConfig }: Draft<PodManifestSpec>, at: Place): void {
  if (dnsPolicy === "None" && !dnsConfig?.nameservers?.length) {
    at.at("dnsConfig").fault("must have nameservers with dnsPolicy: None");
  }
  const length = (dnsConfig?.searches ?? []).map((domain) => domain ?? "").join(" ").length;
  if (length > maxSearchCharacters) {
    at.at("dnsConfig", "searches").fault(`must have at most ${maxSearchCharacters} characters in total, got ${length}`);
  }
}
