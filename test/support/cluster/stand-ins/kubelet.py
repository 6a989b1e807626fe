"""kubelet: refuses to run where the real one does, reports its node, and runs static pods and those given to it.

With it runs what in a real cluster runs elsewhere: where it keeps an API server up it gives pods to nodes as controllers and
scheduler do; the pods of kube-proxy, flannel and CoreDNS end as theirs do on such a machine.
"""
import json
import os
import re
import sys
import time

import yaml

import host
from store import Cluster, Lock, read, write
from version import VERSION

PERIOD = 0.2


def fail(text):
    sys.exit(f'E1130 12:00:00.000000       1 run.go:72] "command failed" err="{text}"')


def options(words):
    return dict(word.lstrip('-').partition('=')[::2] for word in words)


def minor(version):
    return int(version.split('.')[1])


def tag(image):
    return image.rpartition(':')[2].lstrip('v')


class Kubelet:
    def __init__(self, cluster, flags):
        self.cluster = cluster
        self.flags = flags
        self.name = flags.get('hostname-override') or host.name()
        self.images = set()
        self.server = None
        self.lock = None

    def address(self):
        return self.flags.get('node-ip') or host.default_address()

    # --- the API server of this machine, a static pod ---
    def run_server(self):
        static = host.static_images()
        wanted = static.get('kube-apiserver')
        missing = [image for image in static.values() if image not in self.images]
        if wanted is None or missing:
            self.server = None
            return
        file = self.cluster.path('servers', self.name)
        if self.server is None:
            self.server = Lock(file + '.lock')
        write(file, tag(wanted))

    # --- this machine's node ---
    def report(self):
        node = self.cluster.get('node', None, self.name) or {
            'apiVersion': 'v1', 'kind': 'Node', 'metadata': {'name': self.name, 'labels': {'kubernetes.io/hostname': self.name}},
            'spec': {},
        }
        is_ready = host.has_network()
        address = self.address()
        node['status'] = {
            'addresses': ([{'type': 'InternalIP', 'address': address}] if address else []) + [{'type': 'Hostname', 'address': self.name}],
            'conditions': [{
                'type': 'Ready', 'status': str(is_ready), 'reason': 'KubeletReady' if is_ready else 'KubeletNotReady',
                'message': 'kubelet is posting ready status' if is_ready else
                'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized',
            }],
            'images': [{'names': [image]} for image in sorted(self.images)],
            'nodeInfo': {'kubeletVersion': f'v{VERSION}', 'containerRuntimeVersion': 'containerd://1.6.20'},
        }
        if 'podCIDR' not in node['spec']:
            subnet = yaml.safe_load(self.cluster.settings()).get('networking', {}).get('podSubnet')
            if subnet:
                taken = {other['spec'].get('podCIDR') for other in self.cluster.all('node')}
                prefix = '.'.join(subnet.split('.')[:2])
                node['spec']['podCIDR'] = next(cidr for cidr in (f'{prefix}.{n}.0/24' for n in range(256)) if cidr not in taken)
        self.cluster.put(node)
        return node

    # --- pods ---
    def run_pods(self, node):
        pods = [pod for pod in self.cluster.all('pod') if pod['spec'].get('nodeName') == self.name]
        for number, pod in enumerate(pods):
            trouble = self.trouble_of(pod, node)
            was = pod.get('status', {})
            # A test breaks the way from a machine to what a probe looks at by a line in /srv/lan/broken.
            broken = (read('/srv/lan/broken') or '').split('\n')
            is_ready = {
                container['name']: trouble is None and not ('readinessProbe' in container and f"{self.name} {container['name']}" in broken)
                for container in pod['spec']['containers']
            }
            pod['status'] = {
                'phase': 'Pending' if trouble and trouble[0] == 'ImagePullBackOff' or trouble and trouble[0] == 'ContainerCreating' else 'Running',
                'podIP': self.address() if pod['spec'].get('hostNetwork') else f"{node['spec'].get('podCIDR', '10.88.0.0/24').rsplit('.', 1)[0]}.{number + 2}",
                'hostIP': self.address(),
                'conditions': [{'type': 'Ready', 'status': str(all(is_ready.values()))}],
                'containerStatuses': [{
                    'name': container['name'], 'image': container['image'], 'ready': is_ready[container['name']], 'restartCount': 0,
                    'state': {'running': {}} if trouble is None else {'waiting': {'reason': trouble[0], 'message': trouble[1]}},
                } for container in pod['spec']['containers']],
            }
            # One that was deleted meanwhile stays deleted.
            if pod['status'] != was and self.cluster.get('pod', pod['metadata']['namespace'], pod['metadata']['name']):
                self.cluster.put(pod)
            if trouble is None and self.is_flannel(pod):
                write(os.path.join(host.CNI, '10-flannel.conflist'), '{"name":"cbr0","cniVersion":"0.3.1","plugins":[{"type":"flannel"}]}\n')

    @staticmethod
    def is_flannel(pod):
        return any(re.search(r'/flannel:', container['image']) for container in pod['spec']['containers'])

    def trouble_of(self, pod, node):
        """Returns why a pod does not run here, as a reason and a message, or None."""
        spec = pod['spec']
        for container in spec.get('initContainers', []) + spec['containers']:
            if container['image'] not in self.images:
                return 'ImagePullBackOff', f"Back-off pulling image \"{container['image']}\": dial tcp: lookup registry: no such host"
        images = ' '.join(container['image'] for container in spec['containers'])
        if '/kube-proxy:' in images and not host.has_conntrack():
            return 'CrashLoopBackOff', 'open /proc/sys/net/netfilter/nf_conntrack_max: no such file or directory'
        if self.is_flannel(pod):
            if 'podCIDR' not in node['spec']:
                return 'CrashLoopBackOff', f'node "{self.name}" pod cidr not assigned'
            if not host.reaches('10.96.0.1'):
                return 'CrashLoopBackOff', 'dial tcp 10.96.0.1:443: connect: network is unreachable'
            words = [word for container in spec['containers'] for word in container.get('args', []) + container.get('command', [])]
            if host.default_address() is None and not any(word.startswith('--iface') for word in words):
                return 'CrashLoopBackOff', 'Failed to find any valid interface to use: unable to find default route'
        if not spec.get('hostNetwork') and not host.has_network():
            return 'ContainerCreating', 'network is not ready: container runtime network not ready'
        return None

    # --- what controllers and scheduler do ---
    def give_pods(self):
        nodes = self.cluster.all('node')
        pods = self.cluster.all('pod')
        wanted = {}
        for kind in ('daemonset', 'deployment'):
            for owner in self.cluster.all(kind):
                meta, template = owner['metadata'], owner['spec']['template']
                targets = self.targets(kind, owner, nodes)
                mine = []
                for number, target in enumerate(targets):
                    labels = dict(template.get('metadata', {}).get('labels', {}))
                    suffix = target if kind == 'daemonset' else number
                    pod = {
                        'apiVersion': 'v1', 'kind': 'Pod',
                        'metadata': {'name': f"{meta['name']}-{suffix}", 'namespace': meta['namespace'], 'labels': labels,
                                     'ownerReferences': [{'kind': owner['kind'], 'name': meta['name']}]},
                        'spec': dict(template['spec'], **({'nodeName': target} if target else {})),
                    }
                    mine.append(pod)
                    wanted[(meta['namespace'], pod['metadata']['name'])] = pod
                self.tell(owner, mine, pods)
        have = {(pod['metadata']['namespace'], pod['metadata']['name']): pod for pod in pods}
        for key, pod in wanted.items():
            old = have.get(key)
            if old is None or old['spec'] != pod['spec']:
                pod['status'] = {'phase': 'Pending', 'conditions': [{'type': 'Ready', 'status': 'False'}]}
                self.cluster.put(pod)
        for key, pod in have.items():
            if key not in wanted and pod['metadata'].get('ownerReferences'):
                self.cluster.drop('pod', *key)
            elif 'nodeName' not in pod['spec'] and not pod['metadata'].get('ownerReferences'):
                target = next(iter(self.usable(pod['spec'], nodes)), None)
                if target:
                    pod['spec']['nodeName'] = target
                    self.cluster.put(pod)

    @staticmethod
    def usable(spec, nodes):
        """Returns the names of the nodes that take a pod: ready, of its labels, and not tainted against it."""
        tolerates_all = any(t.get('operator') == 'Exists' and 'key' not in t for t in spec.get('tolerations', []))
        tolerated = {t.get('key') for t in spec.get('tolerations', [])}
        found = []
        for node in nodes:
            taints = {taint['key'] for taint in node['spec'].get('taints', [])}
            labels = node['metadata'].get('labels', {})
            is_selected = all(labels.get(key) == value for key, value in spec.get('nodeSelector', {}).items())
            is_ready = node['status']['conditions'][0]['status'] == 'True' or spec.get('hostNetwork')
            if is_selected and is_ready and (tolerates_all or taints <= tolerated):
                found.append(node['metadata']['name'])
        return found

    def targets(self, kind, owner, nodes):
        spec = owner['spec']['template']['spec']
        usable = self.usable(spec, nodes)
        if kind == 'daemonset':
            return usable
        count = owner['spec'].get('replicas', 1)
        return [usable[n % len(usable)] if usable else None for n in range(count)]

    def tell(self, owner, mine, pods):
        ready = sum(
            1 for pod in mine for there in pods
            if there['metadata']['name'] == pod['metadata']['name'] and there['metadata']['namespace'] == pod['metadata']['namespace']
            and there['spec'] == pod['spec'] and there.get('status', {}).get('conditions', [{}])[0].get('status') == 'True')
        wanted = len(mine)
        status = {'desiredNumberScheduled': wanted, 'numberReady': ready, 'updatedNumberScheduled': wanted, 'numberAvailable': ready} \
            if owner['kind'] == 'DaemonSet' else {'replicas': wanted, 'readyReplicas': ready, 'availableReplicas': ready, 'updatedReplicas': wanted}
        status['conditions'] = [{'type': 'Available', 'status': str(ready == wanted and wanted > 0)}]
        if status != owner.get('status') and self.cluster.get(owner['kind'].lower(), owner['metadata']['namespace'], owner['metadata']['name']):
            owner['status'] = status
            self.cluster.put(owner)

    def turn(self):
        images = host.images()
        if images is not None:
            self.images = images
        self.run_server()
        server = self.cluster.server_version()
        if server is None:
            return
        # The real one goes on, against the policy; here nobody may rely on it.
        if minor(VERSION) > minor(server):
            fail(f'kubelet v{VERSION} is newer than its API server v{server}: not a supported version skew')
        if self.lock is None and self.cluster.get('configmap', 'kube-system', 'kubeadm-config'):
            self.lock = Lock(self.cluster.path('kubelets', f'{self.name}.lock'))
        if self.lock is None:
            return
        node = self.report()
        if self.server is not None:
            self.give_pods()
        self.run_pods(node)


def main(words):
    flags = options(words)
    if 'version' in flags:
        return print(f'Kubernetes v{VERSION}')
    config = flags.get('config', '/var/lib/kubelet/config.yaml')
    text = read(config)
    if text is None:
        fail(f'failed to load kubelet config file, path: {config}, error: open {config}: no such file or directory')
    if host.swap_is_on() and yaml.safe_load(text).get('failSwapOn', True):
        fail('failed to run Kubelet: running with swap on is not supported, please disable swap or set --fail-swap-on flag to false')
    if minor(VERSION) >= 35 and not os.path.exists('/sys/fs/cgroup/cgroup.controllers'):
        fail('failed to run Kubelet: kubelet is configured to not run on a host using cgroup v1')
    if host.images() is None:
        fail('failed to run Kubelet: validate service connection: validate CRI v1 runtime API for endpoint '
             f'"unix://{host.SOCKET}": rpc error: code = Unavailable desc = connection error')
    address = host.server_of(flags.get('kubeconfig', '/etc/kubernetes/kubelet.conf'))
    if address is None:
        fail('failed to run Kubelet: unable to load bootstrap kubeconfig')
    kubelet = Kubelet(Cluster(address), flags)
    while True:
        kubelet.turn()
        time.sleep(PERIOD)
