import { expect, test } from "vitest";
import { faultsOfContainer, faultsOfSpec } from "./support.js";

const accepted: [string, string?][] = [
  ["args: ['', a]"],
  ["env: [{name: A}, {name: 'a.b-c d', value: ''}, {name: B, value: '$(A)'}]"],
  ["ports: [{containerPort: 80, name: a1}, {containerPort: 80, protocol: UDP, hostPort: 0}]"],
  ["resources: {limits: {cpu: 0.5, memory: 1Gi}, requests: {cpu: 500m}}"],
  ["resources: {limits: {hugepages-2Mi: 4Mi, cpu: 1}, requests: {hugepages-2Mi: 4194304}}"],
  ["volumeMounts: [{name: v, mountPath: relative, subPath: a/b}, {name: v, mountPath: '/b:c', subPathExpr: $(A)}]"],
  ["volumeMounts: [{name: v, mountPath: /a, mountPropagation: Bidirectional}], securityContext: {privileged: true}"],
  ["volumeMounts: [{name: v, mountPath: /a, readOnly: true, recursiveReadOnly: IfPossible, mountPropagation: None}]"],
  ["readinessProbe: {successThreshold: 3, timeoutSeconds: 0, tcpSocket: {port: web}}"],
  ["restartPolicy: Never, restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [0, 255]}}]"],
  ["securityContext: {runAsUser: 0, capabilities: {add: [SYS_ADMIN, CAP_NET_RAW], drop: [ALL]}}"],
  ["securityContext: {capabilities: {add: [SYS_ADMIN]}, allowPrivilegeEscalation: false}"],
  ["securityContext: {procMount: Unmasked}", "hostUsers: false"],
  ["lifecycle: {stopSignal: SIGRTMIN+3, preStop: {sleep: {seconds: 30}}}", "os: {name: linux}"],
  ["resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}]"],
];

test.each(accepted)("accepts %s", (fields, pod) => {
  expect(faultsOfContainer(fields, pod)).toEqual([]);
});

const refused: [string, string[], string?][] = [
  [
    "imagePullPolicy: Sometimes",
    ['imagePullPolicy: must be one of "Always", "IfNotPresent", "Never", got "Sometimes"'],
  ],
  [
    "imagePullPolicy: always",
    ['imagePullPolicy: must be one of "Always", "IfNotPresent", "Never", got "always"; did you mean "Always"?'],
  ],
  ["comand: [a]", ["comand: unknown field; did you mean command?"]],
  [
    "command: [a, 1, true, null]",
    [
      "command[1]: must be a string, got 1; put it in quotes",
      "command[2]: must be a string, got true; put it in quotes",
      "command[3]: must be set, got null",
    ],
  ],
  ["command: a --password b", ["command: must be a list, got a string"]],
  ["tty: 'true'", ['tty: must be true or false, got "true"']],
  ["workingDir: 5", ["workingDir: must be a string, got 5; put it in quotes"]],
  [
    "volumeDevices: [{name: v, devicePath: /dev/x}]",
    ["volumeDevices: is not supported: block volumes are bound by a cluster; mount a hostPath of type BlockDevice"],
  ],
  ["terminationMessagePath: /a/../b", ["terminationMessagePath: must not contain '..', got \"/a/../b\""]],

  ["env: [{value: a}]", ["env[0].name: is required"]],
  ["env: [{name: A=b}]", ["env[0].name: must not contain '='; write the value in the field \"value\""]],
  ["env: [{name: Ä}]", ["env[0].name: must be printable ASCII characters"]],
  ["env: [{name: A, value: 1}]", ["env[0].value: must be a string, got a number; put it in quotes"]],
  ["env: [{name: A, value: yes}]", ["env[0].value: must be a string, got a boolean; put it in quotes"]],
  [
    "env: [{name: A, value: a, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
    ["env[0]: must have only one of value, valueFrom"],
  ],
  [
    "env: [{name: A, valueFrom: {}}]",
    ["env[0].valueFrom: must have one of fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef"],
  ],
  [
    "env: [{name: A, valueFrom: {fileKeyRef: {path: a}}}]",
    ["env[0].valueFrom.fileKeyRef: is not supported: it is a beta feature; source the file in the command"],
  ],
  [
    "env: [{name: A, valueFrom: {secretKeyRef: {name: S, key: ..a}}}]",
    [
      "env[0].valueFrom.secretKeyRef.name: must be lower-case letters, digits, '-' and '.', and begin and end with a letter or digit, got \"S\"",
      'env[0].valueFrom.secretKeyRef.key: must not be "." or begin with "..", got "..a"',
    ],
  ],
  [
    "env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 2}}}]",
    ['env[0].valueFrom.resourceFieldRef.divisor: must be "1m" or "1" for cpu, got 2'],
  ],
  [
    "env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu, containerName: x}}}]",
    ['env[0].valueFrom.resourceFieldRef.containerName: names no container of the pod, got "x"'],
  ],
  ["envFrom: [{prefix: a}]", ["envFrom[0]: must have one of configMapRef, secretRef"]],

  ["ports: [{name: web}]", ["ports[0].containerPort: is required"]],
  ["ports: [{containerPort: 65536}]", ["ports[0].containerPort: must be a whole number from 1 to 65535, got 65536"]],
  [
    "ports: [{containerPort: '80'}]",
    ['ports[0].containerPort: must be a whole number from 1 to 65535 (without quotes), got "80"'],
  ],
  [
    "ports: [{containerPort: 1, name: a}, {containerPort: 2, name: a}]",
    ['ports[1].name: must be unique; entry 0 has the same, got "a"'],
  ],
  ["ports: [{containerPort: 1, name: '123'}]", ['ports[0].name: must contain a letter, got "123"']],
  [
    "ports: [{containerPort: 1, name: web--1, protocol: tcp}]",
    [
      "ports[0].name: must be lower-case letters, digits and single '-' between them, got \"web--1\"",
      'ports[0].protocol: must be one of "TCP", "UDP", "SCTP", got "tcp"; did you mean "TCP"?',
    ],
  ],
  [
    "ports: [{containerPort: 1, hostPort: 5}, {containerPort: 2, hostPort: 5}]",
    ["ports[1].hostPort: is used twice; containers[0].ports[0] has the same, got 5"],
  ],
  ["ports: [{containerPort: 1, hostPort: 5, hostIP: host}]", ['ports[0].hostIP: must be an IP address, got "host"']],
  [
    "ports: [{containerPort: 1, hostPort: 5}]",
    ["ports[0].hostPort: must be the containerPort, 1, with hostNetwork: true, got 5"],
    "hostNetwork: true",
  ],

  [
    "resources: {limits: {cpu: 1}, requests: {cpu: 1001m}}",
    ['resources.requests.cpu: must be at most the limit, 1, got "1001m"'],
  ],
  [
    "resources: {limits: {memory: 128MB}}",
    ['resources.limits.memory: unknown suffix; did you mean M or Mi?, got "128MB"'],
  ],
  ["resources: {limits: {memory: -1}}", ["resources.limits.memory: must not be negative, got -1"]],
  [
    "resources: {limits: {memry: 1Gi}}",
    [
      'resources.limits.memry: the key must be cpu, memory, ephemeral-storage or hugepages-<size>; did you mean memory?, got "memry"',
    ],
  ],
  [
    "resources: {limits: {nvidia.com/gpu: 1}}",
    [
      'resources.limits["nvidia.com/gpu"]: the key is not supported: extended resources need a device plugin; mount the device with hostPath, got "nvidia.com/gpu"',
    ],
  ],
  [
    "resources: {requests: {hugepages-2Mi: 2Mi, cpu: 1}}",
    ['resources.requests["hugepages-2Mi"]: needs a limit of the same amount: huge pages cannot be overcommitted'],
  ],
  [
    "resources: {limits: {hugepages-2Mi: 3Mi}}",
    [
      'resources.limits["hugepages-2Mi"]: must be a multiple of the page size, 2Mi, got "3Mi"',
      'resources.limits["hugepages-2Mi"]: needs cpu or memory as well',
    ],
  ],
  ["resources: {claims: [{name: a}]}", ["resources.claims: is not supported: devices are allocated by a cluster"]],

  [
    "volumeMounts: [{name: w, mountPath: /a}]",
    ['volumeMounts[0].name: names no volume of the pod (the pod has v), got "w"'],
  ],
  [
    "volumeMounts: [{name: w, mountPath: /a}]",
    ['volumeMounts[0].name: names no volume of the pod (the pod has no volumes), got "w"'],
    "volumes: []",
  ],
  [
    "volumeMounts: [{name: v, mountPath: /a}, {name: v, mountPath: /a}]",
    ['volumeMounts[1].mountPath: must be unique; entry 0 has the same, got "/a"'],
  ],
  [
    "volumeMounts: [{name: v, mountPath: '', subPath: /x}]",
    ["volumeMounts[0].mountPath: is required", 'volumeMounts[0].subPath: must be a relative path, got "/x"'],
  ],
  [
    "volumeMounts: [{name: v, mountPath: /a, subPath: a/../b, subPathExpr: c}]",
    [
      "volumeMounts[0].subPath: must not contain '..', got \"a/../b\"",
      "volumeMounts[0].subPathExpr: must not be set with subPath",
    ],
  ],
  [
    "volumeMounts: [{name: v, mountPath: /a, mountPropagation: Bidirectional}]",
    ['volumeMounts[0].mountPropagation: "Bidirectional" needs securityContext.privileged: true'],
  ],
  [
    "volumeMounts: [{name: v, mountPath: /a, recursiveReadOnly: Enabled, mountPropagation: HostToContainer}]",
    [
      'volumeMounts[0].recursiveReadOnly: needs readOnly: true, got "Enabled"',
      'volumeMounts[0].recursiveReadOnly: needs mountPropagation: "None", got "Enabled"',
    ],
  ],

  ["livenessProbe: {}", ["livenessProbe: must have one of exec, httpGet, tcpSocket, grpc"]],
  ["livenessProbe: {exec: {command: [a]}, grpc: {port: 1}}", ["livenessProbe: must have only one of exec, grpc"]],
  [
    "livenessProbe: {exec: {command: [a]}, successThreshold: 2}",
    ["livenessProbe.successThreshold: must be 1 for this probe, got 2"],
  ],
  [
    "startupProbe: {exec: {command: [a]}, successThreshold: 2}",
    ["startupProbe.successThreshold: must be 1 for this probe, got 2"],
  ],
  [
    "readinessProbe: {exec: {command: [a]}, terminationGracePeriodSeconds: 5}",
    [
      "readinessProbe.terminationGracePeriodSeconds: is not allowed here: a readiness probe does not stop the container",
    ],
  ],
  ["livenessProbe: {exec: {command: []}}", ["livenessProbe.exec.command: must have 1 entry or more"]],
  ["livenessProbe: {httpGet: {path: /}}", ["livenessProbe.httpGet.port: is required"]],
  [
    "livenessProbe: {httpGet: {port: 0, httpHeaders: [{name: 'a b', value: x}]}}",
    [
      "livenessProbe.httpGet.port: must be a whole number from 1 to 65535, got 0",
      "livenessProbe.httpGet.httpHeaders[0].name: must be letters, digits and '-', got \"a b\"",
    ],
  ],
  [
    "livenessProbe: {tcpSocket: {port: '8080'}}",
    ['livenessProbe.tcpSocket.port: must be a number without quotes, or the name of a port, got "8080"'],
  ],
  ["lifecycle: {preStop: {}}", ["lifecycle.preStop: must have one of exec, httpGet, tcpSocket, sleep"]],
  [
    "lifecycle: {preStop: {sleep: {seconds: 31}}}",
    ["lifecycle.preStop.sleep.seconds: must be at most the grace period of 30 seconds, got 31"],
  ],
  [
    "lifecycle: {stopSignal: SIGTERM}",
    ["lifecycle.stopSignal: needs spec.os.name: linux, because signals differ between systems"],
  ],
  [
    "lifecycle: {stopSignal: sigterm}",
    ['lifecycle.stopSignal: must be the name of a signal such as "SIGTERM", got "sigterm"'],
    "os: {name: linux}",
  ],

  [
    "restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [1]}}]",
    ["restartPolicy: is required with restartPolicyRules"],
  ],
  [
    "restartPolicy: Never, restartPolicyRules: [{action: Stop, exitCodes: {operator: In, values: []}}]",
    [
      'restartPolicyRules[0].action: must be "Restart" or "RestartAllContainers", got "Stop"',
      "restartPolicyRules[0].exitCodes.values: must have 1 entry or more",
    ],
  ],

  [
    "securityContext: {privileged: true, allowPrivilegeEscalation: false}",
    ["securityContext.allowPrivilegeEscalation: must not be false with privileged: true"],
  ],
  [
    "securityContext: {capabilities: {add: [CAP_SYS_ADMIN]}, allowPrivilegeEscalation: false}",
    ["securityContext.allowPrivilegeEscalation: must not be false with the capability CAP_SYS_ADMIN"],
  ],
  [
    "securityContext: {runAsNonRoot: true, runAsUser: 0}",
    ["securityContext.runAsNonRoot: runAsUser is 0; set runAsUser to another id"],
  ],
  ["securityContext: {procMount: Unmasked}", ['securityContext.procMount: "Unmasked" needs spec.hostUsers: false']],
  [
    "securityContext: {seccompProfile: {type: Localhost}}",
    ["securityContext.seccompProfile.localhostProfile: is required with type: Localhost"],
  ],
  [
    "securityContext: {seccompProfile: {type: RuntimeDefault, localhostProfile: a}}",
    ["securityContext.seccompProfile.localhostProfile: is allowed with type: Localhost only"],
  ],
  [
    "securityContext: {seccompProfile: {type: Localhost, localhostProfile: ../a}}",
    ["securityContext.seccompProfile.localhostProfile: must not contain '..', got \"../a\""],
  ],
  [
    "securityContext: {runAsUser: -1}",
    ["securityContext.runAsUser: must be a whole number from 0 to 2147483647, got -1"],
  ],
];

test.each(refused)("refuses %s", (fields, expected, pod) => {
  expect(faultsOfContainer(fields, pod)).toEqual(expected);
});

test("refuses names of containers that are not DNS labels or not unique", () => {
  expect(
    faultsOfSpec(
      "containers: [{name: A, image: i}, {name: b, image: i}, {image: i}], initContainers: [{name: b, image: i}]",
    ),
  ).toEqual([
    "containers[0].name: must be lower-case letters, digits and '-', and begin and end with a letter or digit, got \"A\"",
    "containers[2].name: is required",
    'containers[1].name: must be unique in the pod; initContainers[0] has the same, got "b"',
  ]);
});

test("refuses probes and hooks of init containers that are no sidecars", () => {
  const init = (more: string) =>
    faultsOfSpec(
      `containers: [{name: c, image: i}], initContainers: [{name: a, image: i, startupProbe: {exec: {command: [x]}}, lifecycle: {preStop: {exec: {command: [x]}}}, ${more}}]`,
    );
  expect(init("restartPolicy: Always")).toEqual([]);
  expect(init("")).toEqual([
    "initContainers[0].startupProbe: init containers have no probes, except sidecars (restartPolicy: Always)",
    "initContainers[0].lifecycle.preStop: init containers have no hooks, except sidecars (restartPolicy: Always)",
  ]);
});

test.each([
  [
    "nginx:Latest!",
    "must have a tag of at most 128 letters, digits, '_', '.' and '-' that does not begin with '.' or '-'",
  ],
  ["Nginx", "must have a repository in lower case (library/nginx)"],
  ["https://r/a", "must not begin with a scheme: drop https://"],
])("refuses the image %s", (image, message) => {
  expect(faultsOfSpec(`containers: [{name: c, image: ${JSON.stringify(image)}}]`)).toEqual([
    `containers[0].image: ${message}, got ${JSON.stringify(image)}`,
  ]);
});
