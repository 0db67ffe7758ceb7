/** The documents that are planned. @module */

/** A web server with a sidecar, probes, a ConfigMap and a Secret: what most Pods look like. */
export const typical = (image: string) => `
apiVersion: v1
kind: ConfigMap
metadata: { name: site }
data: { title: "Hello", color: blue }
---
apiVersion: v1
kind: Secret
metadata: { name: login }
stringData: { password: secret }
---
apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web, tier: front } }
spec:
  terminationGracePeriodSeconds: 0
  volumes:
    - { name: site, configMap: { name: site } }
    - { name: cache, emptyDir: {} }
  containers:
    - name: server
      image: "${image}"
      command: [sleep, "100000"]
      env:
        - { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
        - { name: COLOR, valueFrom: { configMapKeyRef: { name: site, key: color } } }
        - { name: PASSWORD, valueFrom: { secretKeyRef: { name: login, key: password } } }
      resources: { requests: { cpu: 100m, memory: 64Mi }, limits: { memory: 256Mi } }
      livenessProbe: { httpGet: { path: /live, port: 8080 }, initialDelaySeconds: 600 }
      volumeMounts: [{ name: site, mountPath: /site }, { name: cache, mountPath: /cache }]
    - name: sidecar
      image: "${image}"
      command: [sleep, "100000"]
      envFrom: [{ configMapRef: { name: site } }]
      volumeMounts: [{ name: cache, mountPath: /cache }]
`;

const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join("\n");

/** 10 containers with 30 variables and 10 mounts each, and 10 ConfigMaps of 10 keys. */
export const large = (image: string) => `
${lines(
  10,
  (map) => `apiVersion: v1
kind: ConfigMap
metadata: { name: map-${map} }
data:
${lines(10, (key) => `  key-${key}: "value ${key} of map ${map}"`)}
---`,
)}
apiVersion: v1
kind: Pod
metadata: { name: large }
spec:
  volumes:
${lines(10, (map) => `    - { name: volume-${map}, configMap: { name: map-${map} } }`)}
  containers:
${lines(
  10,
  (container) => `    - name: container-${container}
      image: "${image}"
      resources: { requests: { cpu: 50m, memory: 32Mi }, limits: { cpu: 100m, memory: 64Mi } }
      env:
${lines(30, (index) => `        - { name: VARIABLE_${index}, value: "value ${index} of $(VARIABLE_${Math.max(0, index - 1)})" }`)}
      volumeMounts:
${lines(10, (map) => `        - { name: volume-${map}, mountPath: /map-${map} }`)}`,
)}
`;
