import { describe, expect, it } from "vitest";
import { cgroupIds } from "../../../src/internal/cgroup-ids.js";

const id = "0123456789abcdef".repeat(4);
const other = "f".repeat(64);

describe("cgroupIds", () => {
  it.each([
    ["containerd, cgroupfs", `0::/kubepods/burstable/pod1/${id}`],
    ["containerd, systemd", `0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-${id}.scope`],
    ["CRI-O, systemd", `0::/kubepods.slice/kubepods-pod1.slice/crio-${id}.scope`],
    ["CRI-O with crun", `0::/kubepods.slice/crio-${id}.scope/container`],
    ["CRI-O, cgroupfs", `0::/kubepods/pod1/crio-${id}`],
    ["Docker, systemd", `0::/system.slice/docker-${id}.scope`],
    ["Docker, cgroupfs", `0::/docker/${id}`],
    ["a systemd path with the cgroupfs driver", `0::/system.slice/kubepods-pod1.slice:cri-containerd:${id}`],
    ["groups below the container's", `0::/kubepods/pod1/${id}/init.scope/app`],
    ["another cgroup namespace", `0::/../../pod1/${id}`],
    ["cgroup v1", `12:pids:/kubepods/pod1/${id}\n9:name=systemd:/kubepods/pod1/${id}\n4:memory:/\n0::/\n`],
  ])("finds the id of a container: %s", (_, text) => {
    expect(cgroupIds(text)).toEqual([id]);
  });

  it.each([
    ["a host process", "12:pids:/system.slice/ssh.service\n0::/system.slice/ssh.service\n"],
    ["the root", "0::/\n"],
    ["conmon", `0::/kubepods.slice/crio-conmon-${id}.scope`],
    ["a shorter id", `0::/docker/${id.slice(1)}`],
    ["a longer id", `0::/docker/0${id}`],
    ["an empty file", ""],
    ["another format", id],
  ])("finds no id: %s", (_, text) => {
    expect(cgroupIds(text)).toEqual([]);
  });

  it("returns the outermost id first, which no container can choose", () => {
    expect(cgroupIds(`0::/kubepods/pod1/${id}/docker/${other}`)).toEqual([id, other]);
  });
});
