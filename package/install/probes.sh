# The pods of --verify. A package may have no image with a shell. But it has CoreDNS, which can ask for names and
# listen, and pause, whose probes make the kubelet of a machine connect to any address.

# Prints a pod on each machine by its name, up to its containers.
pod_on_each_machine() {
  cat <<YAML
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: $1, namespace: $space}
spec:
  selector: {matchLabels: {app: $1}}
  template:
    metadata: {labels: {app: $1}}
    spec:
      tolerations: [{operator: Exists}]
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 1
      containers:
YAML
}

# Prints the objects of the namespace: on each machine a pod that listens, and asks for the name of a Service when it
# starts.
#
# When CoreDNS starts, it asks itself for a random name, to find loops. Here the configuration rewrites that question to
# the name of the Service, and sends it to the DNS of the cluster. https://coredns.io/plugins/loop/
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
YAML
  pod_on_each_machine names
  cat <<YAML
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

# Prints a pod on each machine, with probes by which the kubelet connects to the DNS, to the Service and to the pods of
# $work/pods.
looking_pods() {
  pod_on_each_machine reach
  looking_container dns "tcpSocket: {host: $dns_address, port: 53}"
  looking_container service "httpGet: {host: $web_address, path: /health, port: 80}"
  while read -r number _ target; do
    looking_container "pod-$number" "httpGet: {host: $target, path: /health, port: 8080}"
  done <"$work/targets"
}
