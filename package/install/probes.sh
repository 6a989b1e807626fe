# The pods of --verify. A package has no image with a shell for sure, but it has CoreDNS, which can ask for names and
# listen, and pause, beside which the kubelet of a machine can look at any address.

# Prints what belongs in the namespace: a pod on each machine that listens, and asks for the name of a Service once it runs.
#
# When it starts, CoreDNS asks itself for a name of its own making, to find circles. Here that question becomes one for the
# Service, and goes to the DNS of the cluster. https://coredns.io/plugins/loop/
listening_pods() {
  cat <<YAML
apiVersion: v1
kind: Service
metadata: {name: web, namespace: $space}
spec:
  selector: {app: names}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: names, namespace: $space}
data:
  Corefile: |
    .:8053 {
      errors
      log
      rewrite continue name regex .* web.$space.svc.$domain
      rewrite continue type HINFO A
      loop
      forward . $dns_address
      health :8080
    }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: names, namespace: $space}
spec:
  selector: {matchLabels: {app: names}}
  template:
    metadata: {labels: {app: names}}
    spec:
      tolerations: [{operator: Exists}]
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 1
      containers:
      - name: names
        image: $image_of_dns
        imagePullPolicy: Never
        args: [-conf, /etc/coredns/Corefile]
        readinessProbe: {httpGet: {path: /health, port: 8080}, periodSeconds: 2, timeoutSeconds: 5}
        volumeMounts: [{name: names, mountPath: /etc/coredns}]
      volumes: [{name: names, configMap: {name: names}}]
YAML
}

# Prints one container that is ready when the kubelet of its machine reaches an address: its name and the probe.
looking_container() {
  cat <<YAML
      - name: $1
        image: $pause
        imagePullPolicy: Never
        readinessProbe: {$2, periodSeconds: 2, timeoutSeconds: 5}
YAML
}

# Prints a pod on each machine, beside which the kubelet looks at the DNS, at the Service and at the pods of $work/pods.
looking_pods() {
  cat <<YAML
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: reach, namespace: $space}
spec:
  selector: {matchLabels: {app: reach}}
  template:
    metadata: {labels: {app: reach}}
    spec:
      tolerations: [{operator: Exists}]
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 1
      containers:
YAML
  looking_container dns "tcpSocket: {host: $dns_address, port: 53}"
  looking_container service "httpGet: {host: $web_address, path: /health, port: 80}"
  while read -r number _ target; do
    looking_container "pod-$number" "httpGet: {host: $target, path: /health, port: 8080}"
  done <"$work/targets"
}
