/** Manifests of known add-ons, shortened to what has images, and to one thing that has none. */
export const FLANNEL = `---
kind: Namespace
apiVersion: v1
metadata:
  name: kube-flannel
---
kind: ConfigMap
apiVersion: v1
metadata:
  name: kube-flannel-cfg
data:
  net-conf.json: |
    {
      "Network": "10.244.0.0/16",
      "Backend": {"Type": "vxlan"}
    }
---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: kube-flannel-ds
spec:
  template:
    spec:
      initContainers:
      - name: install-cni-plugin
        image: ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel3
      - name: install-cni
        image: ghcr.io/flannel-io/flannel:v0.28.9
      containers:
      - name: kube-flannel
        image: ghcr.io/flannel-io/flannel:v0.28.9
`;

export const CALICO = `# Source: calico
kind: CustomResourceDefinition
apiVersion: apiextensions.k8s.io/v1
metadata: {name: ippools.crd.projectcalico.org}
---
kind: DaemonSet
apiVersion: apps/v1
spec:
  template:
    spec:
      initContainers:
        - name: install-cni
          image: quay.io/calico/cni:v3.32.1
          imagePullPolicy: IfNotPresent
      containers:
        - name: calico-node
          image: quay.io/calico/node:v3.32.1
          imagePullPolicy: IfNotPresent
          env:
            # - name: CALICO_IPV4POOL_CIDR
            #   value: "192.168.0.0/16"
            - name: CALICO_IPV4POOL_IPIP
              value: "Always"
---
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
        - name: calico-kube-controllers
          image: quay.io/calico/kube-controllers:v3.32.1
          imagePullPolicy: IfNotPresent
`;

export const METRICS_SERVER = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: metrics-server
spec:
  template:
    spec:
      containers:
      - args:
        - --cert-dir=/tmp
        - --metric-resolution=15s
        image: registry.k8s.io/metrics-server/metrics-server:v0.9.0
        imagePullPolicy: IfNotPresent
        name: metrics-server
`;

export const LOCAL_PATH = `apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
        - name: local-path-provisioner
          image: docker.io/rancher/local-path-provisioner:v0.0.37
          imagePullPolicy: IfNotPresent

---
kind: ConfigMap
apiVersion: v1
data:
  setup: |-
    #!/bin/sh
    mkdir -p "$VOL_DIR"
  helperPod.yaml: |-
    apiVersion: v1
    kind: Pod
    spec:
      containers:
      - name: helper-pod
        image: docker.io/library/busybox
        imagePullPolicy: IfNotPresent
`;

/** Returns the manifest of a pod whose only container has these lines. */
export function pod(...lines: readonly string[]): string {
  return `kind: Pod\nspec:\n  containers:\n  - name: pod\n${lines.map((line) => `    ${line}\n`).join('')}`;
}
