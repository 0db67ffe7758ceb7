import type { HookManifest, HttpGetManifest, LifecycleManifest, ProbeManifest } from "../../manifest/container.js";

/** Fills in the defaults of a probe. As in the API, 0 stands for the default. */
export function probeWithDefaults(probe: ProbeManifest): ProbeManifest {
  const { httpGet, grpc } = probe;
  return {
    ...probe,
    timeoutSeconds: probe.timeoutSeconds || 1,
    periodSeconds: probe.periodSeconds || 10,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
    ...(httpGet && { httpGet: requestWithDefaults(httpGet) }),
    ...(grpc && { grpc: { ...grpc, service: grpc.service ?? "" } }),
  };
}

export function lifecycleWithDefaults(lifecycle: LifecycleManifest): LifecycleManifest {
  const { postStart, preStop } = lifecycle;
  return {
    ...lifecycle,
    ...(postStart && { postStart: hookWithDefaults(postStart) }),
    ...(preStop && { preStop: hookWithDefaults(preStop) }),
  };
}

function hookWithDefaults(hook: HookManifest): HookManifest {
  return hook.httpGet ? { ...hook, httpGet: requestWithDefaults(hook.httpGet) } : hook;
}

function requestWithDefaults(request: HttpGetManifest): HttpGetManifest {
  return { ...request, path: request.path || "/", scheme: request.scheme ?? "HTTP" };
}
